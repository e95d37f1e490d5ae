//! Figures, one's own filters, being away, hours and preferences, over REST.

use reqwest::Method;
use schema::{
    address::Address,
    command::{CallOutcome, CallReport, Command},
    role::Role,
};
use serde_json::json;

use super::world::{World, line, tenant};

const CALLER: &str = "+12125550001";

#[tokio::test]
async fn figures_say_what_became_of_calls_and_texts_up_to_the_end_of_the_log_and_nothing_of_another_tenant() {
    let world = World::start().await;
    let call = CallReport {
        channel: line("demo"),
        from: Address::from_carrier(CALLER).unwrap(),
        carrier_id: "CA1".to_owned(),
        outcome: CallOutcome::Missed,
        name: None,
    };
    world.submit(&tenant("demo"), Command::Call(call)).await;
    let page = world.get("/v1/figures").await;
    assert_eq!(
        (&page["total"]["missed"], &page["total"]["recovered"], &page["behind"]),
        (&json!(1), &json!(0), &json!(false))
    );
    let reply = world.receive("demo", CALLER, "hello").await;
    let page = world.get("/v1/figures").await;
    assert_eq!((&page["total"]["recovered"], &page["position"]["offset"]), (&json!(1), &json!(reply.offset)));
    let conversation = reply.conversation.unwrap();
    world.post(&format!("/v1/conversations/{conversation}/messages"), json!({"text": "at four"})).await;
    let page = world.until("/v1/figures", |page| page["total"]["answered"] == 1).await;
    assert_eq!(page["hours"].as_array().unwrap().len(), 1);
    let shown = &page["lines"][0];
    assert_eq!((&shown["channel"], &shown["address"]), (&json!("demo-line"), &json!("+15550100001")));
    assert_eq!((&shown["live"]["per_s"], &shown["queue_most"]), (&json!(1), &json!(1)));
    let elsewhere = world.get("/v1/figures?channel=other-line").await;
    assert_eq!((&elsewhere["total"]["missed"], &elsewhere["lines"]), (&json!(0), &json!([])));
    let hour = std::time::Duration::from_secs(3_600);
    let other = world.token("other", "ana", Role::Admin, hour);
    let theirs = world.ask(&other, Method::GET, "/v1/figures", None).await;
    assert_eq!(theirs.body["total"]["missed"], 0);
    for hours in ["0", "2209", "x"] {
        let answer =
            world.ask(&world.demo(Role::Viewer), Method::GET, &format!("/v1/figures?hours={hours}"), None).await;
        assert_eq!((answer.status.as_u16(), &answer.body["field"]), (400, &json!("hours")), "{}", answer.body);
    }
}

#[tokio::test]
async fn filters_are_kept_for_the_person_and_checked() {
    let world = World::start().await;
    let leaks = json!({"name": "Leaks", "view": "all", "tags": ["leak"], "waiting": true});
    let reply = world.change(Method::PUT, "/v1/me/filters", json!({"filters": [leaks]})).await;
    let mine = world.get(&format!("/v1/me?at_least={}", reply["offset"])).await;
    assert_eq!((&mine["filters"][0]["name"], &mine["filters"][0]["waiting"]), (&json!("Leaks"), &json!(true)));
    let other = world.ask(&world.demo(Role::Viewer), Method::GET, "/v1/me", None).await;
    assert_eq!((&other.body["filters"], &other.body["role"]), (&json!([]), &json!("viewer")));
    let many: Vec<_> = (0..21).map(|number| json!({"name": number.to_string(), "view": "all"})).collect();
    let long = "x".repeat(41);
    for (filters, field) in [
        (json!(many), "filters"),
        (json!([leaks, leaks]), "name"),
        (json!([{"name": " ", "view": "all"}]), "name"),
        (json!([{"name": long, "view": "all"}]), "name"),
    ] {
        let body = json!({"filters": filters});
        let answer = world.ask(&world.demo(Role::Admin), Method::PUT, "/v1/me/filters", Some(&body)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["field"]), (400, &json!(field)), "{}", answer.body);
    }
    world.change(Method::PUT, "/v1/me/filters", json!({"filters": []})).await;
    assert_eq!(world.get("/v1/me").await["filters"], json!([]));
}

#[tokio::test]
async fn everybody_sees_who_is_away_until_they_are_back() {
    let world = World::start().await;
    let set = async |to: &str| {
        let body = json!({"availability": to});
        let answer = world.ask(&world.demo(Role::Operator), Method::PUT, "/v1/me/availability", Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    set("away").await;
    let seen = world.ask(&world.demo(Role::Viewer), Method::GET, "/v1/me", None).await;
    assert_eq!((&seen.body["away"], &seen.body["availability"]), (&json!(["operator"]), &json!("available")));
    set("available").await;
    assert_eq!(world.get("/v1/me").await["away"], json!([]));
}

#[tokio::test]
async fn hours_are_set_by_oneself_or_an_admin_and_say_when_they_change_what_one_is() {
    let world = World::start().await;
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    // All of the week but a minute on Sunday: whenever this runs, they are there, or are back within a minute.
    let spans: Vec<_> = days
        .iter()
        .map(|day| json!({"day": day, "from_min": u16::from(*day == "sunday"), "until_min": 1440}))
        .collect();
    let hours = json!({"zone": "Pacific/Auckland", "spans": spans});
    let never = json!({"zone": "Europe/Berlin", "spans": []});
    let operator = world.demo(Role::Operator);
    let me = async || world.ask(&operator, Method::GET, "/v1/me", None).await.body;
    assert_eq!((&me().await["hours"], &me().await["by_hand"]), (&json!(null), &json!(false)));
    let set = async |path: &str, who: &str, hours: &serde_json::Value| {
        let answer = world.ask(who, Method::PUT, path, Some(&json!({"hours": hours}))).await;
        (answer.status.as_u16(), answer.body["field"].clone())
    };
    let none = json!(null);
    assert_eq!(set("/v1/me/hours", &operator, &hours).await, (200, none.clone()));
    let mine = me().await;
    assert_eq!((&mine["hours"], &mine["by_hand"]), (&hours, &json!(false)));
    assert!(mine["until"].as_u64().unwrap() > 1_000_000, "{mine}");
    let admin = world.demo(Role::Admin);
    assert_eq!(set("/v1/admin/operators/operator/hours", &admin, &never).await, (200, none.clone()));
    let mine = me().await;
    assert_eq!((&mine["availability"], &mine["until"]), (&json!("away"), &json!(null)), "never there: {mine}");
    let wrong = json!({"zone": "Nowhere", "spans": []});
    assert_eq!(set("/v1/me/hours", &operator, &wrong).await, (400, json!("zone")));
    let late = json!({"zone": "UTC", "spans": [{"day": "monday", "from_min": 1, "until_min": 1441}]});
    assert_eq!(set("/v1/me/hours", &operator, &late).await, (400, json!("spans")));
    assert_eq!(set("/v1/me/hours", &operator, &none).await, (200, none.clone()));
    assert_eq!(me().await["hours"], none);
    world.change(Method::PUT, "/v1/admin/operators/nora", json!({"role": "operator"})).await;
    assert_eq!(set("/v1/admin/operators/nora/hours", &admin, &hours).await, (200, none.clone()));
    assert_eq!(world.get("/v1/admin/operators/nora").await["hours"], hours);
}

#[tokio::test]
async fn preferences_are_kept_for_the_person_and_checked() {
    let world = World::start().await;
    let viewer = world.demo(Role::Viewer);
    let set = async |body: serde_json::Value| {
        let answer = world.ask(&viewer, Method::PUT, "/v1/me/preferences", Some(&body)).await;
        (answer.status.as_u16(), answer.body["field"].clone())
    };
    assert_eq!(set(json!({"language": "de", "hold_s": 0})).await, (200, json!(null)));
    let mine = world.ask(&viewer, Method::GET, "/v1/me", None).await.body;
    assert_eq!(mine["preferences"], json!({"language": "de", "hold_s": 0}));
    assert_eq!(world.get("/v1/me").await["preferences"], json!({"language": null, "hold_s": null}), "nobody else's");
    for language in ["", "d", "de_DE", "<script>", &"x".repeat(36)] {
        assert_eq!(set(json!({"language": language})).await, (400, json!("language")), "{language}");
    }
    assert_eq!(set(json!({"hold_s": 31})).await, (400, json!("hold_s")));
    assert_eq!(set(json!({})).await, (200, json!(null)));
    let mine = world.ask(&viewer, Method::GET, "/v1/me", None).await.body;
    assert_eq!(mine["preferences"]["language"], json!(null));
}
