//! Rotation: what is kept, for how long, and what an interruption leaves behind.

use schema::{
    ids::{OperatorId, TenantId},
    role::Role,
};

use super::{
    super::{AuthError, Authenticator, Claims},
    *,
};

const NOW: Stamp = Stamp(1_700_000_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn claims() -> Claims {
    let (tenant, operator) = (TenantId::new("demo").unwrap(), OperatorId::new("ana").unwrap());
    Claims { tenant, operator, role: Role::Operator, expires: NOW.plus(HOUR * 24) }
}

fn authenticator(directory: &Path) -> Authenticator {
    let terms: Vec<Term> = load(directory).unwrap().into_iter().map(|kept| kept.term).collect();
    Authenticator::with(&terms, Duration::ZERO).unwrap()
}

#[test]
fn tokens_of_the_key_before_are_good_until_the_overlap_ends() {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path()).unwrap();
    let old = authenticator(directory.path()).mint(&claims()).unwrap();
    let rotated = rotate(directory.path(), NOW, HOUR).unwrap();
    assert_ne!(rotated.id, rotated.before);
    let auth = authenticator(directory.path());
    let fresh = auth.mint(&claims()).unwrap();
    let end = NOW.plus(HOUR);
    assert_eq!(rotated.until, Some(end));
    assert_eq!(auth.verify(&old, Stamp(end.0 - 1)), Ok(claims()));
    assert_eq!(auth.verify(&old, end), Err(AuthError::Invalid));
    assert_eq!(auth.verify(&fresh, end), Ok(claims()));
    assert_eq!(forget(directory.path(), Stamp(end.0 - 1)).unwrap(), Vec::<String>::new());
    assert_eq!(forget(directory.path(), end).unwrap(), [rotated.before]);
    assert_eq!(authenticator(directory.path()).verify(&old, NOW), Err(AuthError::Invalid));
}

#[test]
fn of_a_key_that_was_replaced_only_the_public_half_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let made = make(directory.path()).unwrap().remove(0).made;
    rotate(directory.path(), NOW, HOUR).unwrap();
    let kept = load(directory.path()).unwrap();
    assert_eq!(kept.len(), 2);
    assert!(matches!(kept[1].term.key, Key::Ed25519Public(_)));
    assert_eq!(kept[1].made, made, "its age is that of the key, not of the file");
    for entry in fs::read_dir(directory.path()).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        let (path, mode) = entry.map(|entry| (entry.path(), entry.metadata().unwrap().permissions().mode())).unwrap();
        assert!(path.ends_with(LOCK) || mode & 0o777 == 0o600, "{}", path.display());
    }
}

#[test]
fn without_overlap_the_key_before_is_forgotten_at_once() {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path()).unwrap();
    let old = authenticator(directory.path()).mint(&claims()).unwrap();
    assert_eq!(rotate(directory.path(), NOW, Duration::ZERO).unwrap().until, None);
    assert_eq!(authenticator(directory.path()).verify(&old, NOW), Err(AuthError::Invalid));
    // Also the one before that, whose overlap has not ended.
    let older = authenticator(directory.path()).mint(&claims()).unwrap();
    rotate(directory.path(), NOW, HOUR).unwrap();
    rotate(directory.path(), NOW, Duration::ZERO).unwrap();
    assert_eq!(authenticator(directory.path()).verify(&older, NOW), Err(AuthError::Invalid));
}

#[test]
fn a_rotation_that_was_cut_short_changes_nothing_and_the_next_one_sets_its_own_end() {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path()).unwrap();
    let signing = directory.path().join(SIGNING);
    let before = fs::read(&signing).unwrap();
    let old = authenticator(directory.path()).mint(&claims()).unwrap();
    rotate(directory.path(), NOW, HOUR).unwrap();
    // Killed between the two writes: the public half is there, the private one is still in its place.
    replace_private(&signing, &before).unwrap();
    let auth = authenticator(directory.path());
    assert_eq!(auth.verify(&old, NOW.plus(HOUR * 2)), Ok(claims()), "it is still the one that signs");
    let again = rotate(directory.path(), NOW, Duration::ZERO).unwrap();
    assert_eq!(again.until, None);
    assert_eq!(load(directory.path()).unwrap().len(), 1, "the end it was given before does not keep it");
}

#[test]
fn rotations_at_once_leave_every_replaced_key_verifying() {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| rotate(directory.path(), NOW, HOUR).unwrap());
        }
    });
    let mut ids: Vec<String> = load(directory.path()).unwrap().into_iter().map(|key| key.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7);
}

#[test]
fn other_files_are_left_alone_and_a_false_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path()).unwrap();
    for name in ["master", "keys.log", "token-verifying-x.pem", "token-verifying-x-until-soon.pem"] {
        fs::write(directory.path().join(name), "x").unwrap();
    }
    assert_eq!(load(directory.path()).unwrap().len(), 1);
    write_private(&directory.path().join("token-verifying-x-until-1.pem"), b"x").unwrap();
    assert!(matches!(load(directory.path()), Err(KeyError::Unusable(_))));
}
