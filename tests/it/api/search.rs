//! Search: through the follower, in memory and on disk.

use std::sync::Arc;

use deskwire::search::{DiskSearch, WRITER_BYTES_MIN};
use reqwest::Method;
use schema::role::Role;
use serde_json::json;

use super::world::{World, limits};

async fn found_by_text_name_and_number(world: &World) {
    let reply = world.receive("demo", "+12125550001", "The boiler leaks, can you come on Tuesday?").await;
    let id = reply.conversation.unwrap();
    world.receive("demo", "+12125550002", "Where is your office?").await;
    world.post(&format!("/v1/conversations/{id}/contact"), json!({"name": "Ana Maria"})).await;
    world.post(&format!("/v1/conversations/{id}/notes"), json!({"text": "boiler of 1987"})).await;

    let path = "/v1/search?q=BOILER";
    let page = world.until(path, |page| page["hits"].as_array().unwrap().len() == 2).await;
    assert_eq!(page["hits"][0]["type"], "note.added", "newest first");
    let hit = &page["hits"][1];
    assert_eq!((hit["type"].as_str(), hit["offset"].as_u64()), (Some("message.received"), Some(reply.offset.0)));
    assert_eq!(hit["conversation"], id.to_string());
    let marked: Vec<_> = hit["snippet"].as_array().unwrap().iter().filter(|piece| piece["hit"] == true).collect();
    assert_eq!(marked.iter().map(|piece| piece["text"].as_str().unwrap()).collect::<Vec<_>>(), ["boiler"]);

    let older = world.get(&format!("/v1/search?q=boiler&limit=1&before={}", page["hits"][0]["offset"])).await;
    assert_eq!(older["hits"].as_array().unwrap().len(), 1);
    let first = world.get("/v1/search?q=boiler&limit=1").await;
    assert_eq!(first["before"], page["hits"][0]["offset"]);

    let named = world.get("/v1/search?q=ana%20mar").await;
    assert_eq!(named["hits"][0]["conversation"], id.to_string());
    let numbered = world.get("/v1/search?q=(212)%20555-0001").await;
    assert_eq!(numbered["contact"]["conversation"], id.to_string());
    assert_eq!(numbered["contact"]["name"], "Ana Maria");

    let viewer = world.ask(&world.demo(Role::Viewer), Method::GET, path, None).await;
    assert_eq!(viewer.body["hits"].as_array().unwrap().len(), 1, "a viewer finds no notes: {}", viewer.body);
}

#[tokio::test]
async fn what_was_written_is_found_by_text_name_and_number() {
    found_by_text_name_and_number(&World::start().await).await;
}

#[tokio::test]
async fn what_was_written_is_found_on_disk_too() {
    let directory = tempfile::tempdir().unwrap();
    let search = Arc::new(DiskSearch::open(directory.path(), WRITER_BYTES_MIN).unwrap());
    found_by_text_name_and_number(&World::with(limits(), search).await).await;
}
