//! Signing in, over a table in memory.

use super::*;

const PASSWORD: &str = "correct horse battery";
const DESK: (&str, Option<IpAddr>) = ("Firefox", None);

fn limits() -> PeopleLimits {
    PeopleLimits {
        attempts_per_minute: NonZeroU32::new(4).unwrap(),
        peer_attempts_per_minute: NonZeroU32::new(1_000).unwrap(),
        session: Duration::from_secs(3_600),
        sessions_max: 2,
        invitation: Duration::from_secs(60),
        reset: Duration::from_secs(60),
    }
}

fn people(rows: &PeopleTable) -> People {
    People::new(rows.clone(), limits(), watch::Sender::new(())).unwrap()
}

fn who(name: &str) -> Who {
    (TenantId::new("acme").unwrap(), OperatorId::new(name).unwrap())
}

const NOW: Stamp = Stamp(1_000_000_000_000);

async fn joined(people: &People) -> (Visitor, String) {
    let (link, _) = people.invite(who("ana"), "Ana@Example.com", NOW).await.unwrap();
    people.join(&link, PASSWORD.to_owned(), DESK, NOW).await.unwrap()
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_the_password_opens_until_the_session_ends() {
    let rows = PeopleTable::in_memory();
    let people = people(&rows);
    let (link, until) = people.invite(who("ana"), "Ana@Example.com", NOW).await.unwrap();
    assert_eq!(people.look(&link, None, until).await.map(|_| ()), Err(PeopleError::Link), "too late");
    assert_eq!(people.look(&link, None, NOW).await.unwrap().1.email, "ana@example.com");
    let short = people.join(&link, "ninechars".to_owned(), DESK, NOW).await;
    assert_eq!(short.map(|_| ()), Err(PeopleError::Password));
    let (visitor, cookie) = people.join(&link, PASSWORD.to_owned(), DESK, NOW).await.unwrap();
    assert_eq!(people.join(&link, PASSWORD.to_owned(), DESK, NOW).await.map(|_| ()), Err(PeopleError::Link), "spent");
    assert_eq!(people.visitor(&cookie, NOW), Some(visitor.clone()));
    assert!(people.is_signed_in(visitor.session, NOW) && !people.is_signed_in(visitor.session, visitor.until));
    assert_eq!(people.visitor(&cookie, visitor.until), None);
    let again = people.sign_in((" ANA@example.com", PASSWORD.to_owned()), None, DESK, NOW).await.unwrap();
    assert_eq!(again.0.who, who("ana"));
    let kept: Vec<u8> = (rows.all)().into_iter().flat_map(|(_, _, row)| row).collect();
    let kept = String::from_utf8(kept).unwrap();
    assert!(kept.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
    for secret in [PASSWORD, &link, &cookie, &again.1] {
        assert!(!kept.contains(secret), "no secret is kept in clear");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_e_mail_are_the_same_answer_and_both_are_throttled() {
    let people = people(&PeopleTable::in_memory());
    joined(&people).await;
    for (email, password) in [("ana@example.com", "wrong password"), ("nobody@example.com", PASSWORD), ("", PASSWORD)] {
        let refused = people.sign_in((email, password.to_owned()), None, DESK, NOW).await;
        assert_eq!(refused.map(|_| ()), Err(PeopleError::Credentials), "{email}");
    }
    for email in ["ana@example.com", "nobody@example.com"] {
        let mut last = Ok(());
        for _ in 0..4 {
            last = people.sign_in((email, "guess again".to_owned()), None, DESK, NOW).await.map(|_| ());
        }
        assert!(matches!(last, Err(PeopleError::TooOften { .. })), "{email}: {last:?}");
    }
    let right = people.sign_in(("ana@example.com", PASSWORD.to_owned()), None, DESK, NOW).await;
    assert!(matches!(right, Err(PeopleError::TooOften { .. })), "also with the right one, or a guess would show");
}

#[tokio::test]
async fn sessions_end_one_by_one_all_together_or_because_there_are_too_many() {
    let people = people(&PeopleTable::in_memory());
    let mut ended = people.ended.subscribe();
    let (first, _) = joined(&people).await;
    let sign_in = || people.sign_in(("ana@example.com", PASSWORD.to_owned()), None, DESK, NOW);
    let (second, _) = sign_in().await.unwrap();
    let (third, _) = sign_in().await.unwrap();
    assert!(!people.is_signed_in(first.session, NOW), "two browsers at most: the oldest ends");
    ended.mark_unchanged();
    people.sign_out(&who("ana"), Some(second.session)).await.unwrap();
    assert!(ended.has_changed().unwrap(), "streams are told");
    assert!(!people.is_signed_in(second.session, NOW) && people.is_signed_in(third.session, NOW));
    let rows = people.sessions(&third, NOW).unwrap().1;
    assert_eq!(rows.iter().map(|row| (row.id, row.current)).collect::<Vec<_>>(), [(third.session, true)]);
    people.sign_out(&who("ana"), None).await.unwrap();
    assert!(!people.is_signed_in(third.session, NOW));
}

#[tokio::test]
async fn a_new_password_ends_every_session_of_the_old_one() {
    let people = people(&PeopleTable::in_memory());
    let (before, cookie) = joined(&people).await;
    let (link, _) = people.reset(who("ana"), NOW).await.unwrap();
    assert!(people.is_signed_in(before.session, NOW), "an unused link changes nothing");
    people.join(&link, "another good one".to_owned(), DESK, NOW).await.unwrap();
    assert!(!people.is_signed_in(before.session, NOW) && people.visitor(&cookie, NOW).is_none());
    let old = people.sign_in(("ana@example.com", PASSWORD.to_owned()), None, DESK, NOW).await;
    assert_eq!(old.map(|_| ()), Err(PeopleError::Credentials));
}

#[tokio::test]
async fn what_is_kept_is_known_again_after_a_restart_and_who_is_forgotten_is_not() {
    let rows = PeopleTable::in_memory();
    let (visitor, cookie) = joined(&people(&rows)).await;
    let again = people(&rows);
    assert_eq!(again.visitor(&cookie, NOW), Some(visitor.clone()));
    assert_eq!(again.invite(who("ana"), "ana@example.com", NOW).await.map(|_| ()), Err(PeopleError::Taken));
    again.forget(&who("ana")).await.unwrap();
    assert!(!again.is_signed_in(visitor.session, NOW));
    assert!(people(&rows).person(&who("ana")).is_none() && (rows.all)().is_empty());
    assert_eq!(again.reset(who("ana"), NOW).await.map(|_| ()), Err(PeopleError::Unknown));
}

/// Two nodes over one table, and how often it was read again.
fn two_nodes() -> (People, People, watch::Receiver<()>, Arc<std::sync::atomic::AtomicUsize>) {
    let rows = PeopleTable::in_memory();
    let (all, looks) = (rows.all.clone(), Arc::<std::sync::atomic::AtomicUsize>::default());
    let counted = looks.clone();
    let changed: ChangedPeople = Arc::new(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(Some(all()))))
    });
    let shared = PeopleTable { changed: Some(changed), ..rows };
    let ended = watch::Sender::new(());
    let told = ended.subscribe();
    (people(&shared), People::new(shared, limits(), ended).unwrap(), told, looks)
}

#[tokio::test]
async fn who_signs_in_at_one_node_is_known_at_another_and_signed_out_at_both() {
    let (one, other, mut told, _) = two_nodes();
    let (link, _) = one.invite(who("ana"), "ana@example.com", NOW).await.unwrap();
    assert_eq!(other.look(&link, None, NOW).await.unwrap().0, who("ana"), "a link that is a moment old");
    let (visitor, cookie) = one.join(&link, PASSWORD.to_owned(), DESK, NOW).await.unwrap();
    assert!(!other.is_signed_in(visitor.session, NOW));
    assert_eq!(other.whose(&cookie, NOW).await, Some(visitor.clone()));
    assert!(other.is_signed_in(visitor.session, NOW));
    assert!(!told.has_changed().unwrap(), "nobody was signed out");
    one.sign_out(&visitor.who, None).await.unwrap();
    other.look_again().await;
    assert!(!other.is_signed_in(visitor.session, NOW));
    assert!(told.has_changed().unwrap(), "streams are told");
    told.mark_unchanged();
}

#[tokio::test(start_paused = true)]
async fn cookies_that_nobody_knows_do_not_make_the_store_busy() {
    let (_, node, _, looks) = two_nodes();
    let asked = (0..500).map(|number| {
        let node = &node;
        async move { node.whose(&format!("made up {number}"), NOW).await }
    });
    assert!(futures_util::future::join_all(asked).await.into_iter().all(|found| found.is_none()));
    let looks = looks.load(std::sync::atomic::Ordering::Relaxed);
    assert!((1..=2).contains(&looks), "{looks} looks for 500 cookies");
}
