//! A tenant of the real process goes from a data directory to a CQL server and back: the same events byte for byte, the
//! same people, keys and lines; killed on the way, trimmed, met by other data.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use deskwire::store::{
    PersonRow, StoreOptions,
    cql::CqlOptions,
    embedded::EmbeddedStore,
    transfer::{Content, contents},
};
use loadtest::carrier::{Calling, Chance, Faults, Texting};
use schema::{event::SealedBatch, ids::AccountId};
use serde_json::Value;

use super::world::{keyspace, session};
use crate::{
    crash::world::World,
    support::{
        cassandra,
        process::{Server, deskwire},
        wait::until,
    },
};

const CONTACTS: usize = 6;
const TEXTS: usize = 150;

/// A store that a tenant can be in.
struct Place {
    directory: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Place {
    fn embedded(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), environment: Vec::new() }
    }

    fn cql(directory: &Path, options: &CqlOptions) -> Self {
        let environment = cassandra::environment(options);
        Self { directory: directory.to_owned(), environment }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = deskwire(arguments);
        command.env("DESKWIRE__DATA__DIRECTORY", &self.directory).envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn attempt(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.attempt(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "deskwire {arguments:?}: {}\n{error}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str], why: &str) {
        let output = self.attempt(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(why), "deskwire {arguments:?}: {error}");
    }

    fn events(&self) -> String {
        self.run(&["inspect", "--tenant", "demo", "--personal"])
    }

    fn export(&self, to: &Path, key: &Path) {
        self.run(&["export", "--tenant", "demo", "--to", text(to), "--key", text(key)]);
    }

    fn import(&self, from: &Path, key: &Path) {
        self.run(&["import", "--from", text(from), "--key", text(key)]);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn batches(path: &Path) -> Vec<SealedBatch> {
    let batch = |content| match content {
        Ok(Content::Batch(batch)) => Some(batch),
        Ok(Content::Baseline(_)) => None,
        Err(error) => panic!("{error}"),
    };
    contents(path).unwrap().filter_map(batch).collect()
}

fn contact(index: usize) -> String {
    format!("+12125550{index:03}")
}

async fn inbox(world: &World) -> Value {
    let url = format!("{}/v1/inbox", world.url);
    let answer = world.client().get(url).bearer_auth(&world.token).send().await.unwrap();
    let mut inbox: Value = answer.json().await.unwrap();
    inbox["rows"].take()
}

/// Some business.
async fn live(world: &World, server: Server) -> Value {
    world.carrier.set_faults(Faults::default());
    for index in 0..TEXTS {
        let texting = Texting {
            from: contact(index % CONTACTS),
            body: format!("text {index}"),
            sid: format!("SM{index:032x}"),
            ..Texting::default()
        };
        until("the text is taken", async || world.carrier.text(&texting).await.is_ok()).await;
    }
    world.carrier.call(&Calling { from: contact(0), ..Calling::default() }).await;
    until("the call to be answered with a text, and all its news to be here", async || {
        world.carrier.texts_to(&contact(0)) > 0 && inbox(world).await.to_string().contains("\"delivered\"")
    })
    .await;
    let rows = inbox(world).await;
    assert!(server.terminate().success());
    rows
}

async fn batches_of(options: &CqlOptions) -> i64 {
    let count = format!("SELECT count(*) FROM {}.log_batch", options.keyspace);
    let rows = session().await.query_unpaged(count, ()).await.unwrap().into_rows_result().unwrap();
    rows.single_row::<(i64,)>().unwrap().0
}

/// What is sealed beside the log.
fn sealed(directory: &Path) -> (Vec<String>, Vec<PersonRow>) {
    let store = EmbeddedStore::open(directory, &StoreOptions::default()).unwrap();
    let tables = store.tables();
    let sealed = (tables.secrets(&AccountId::new("demo-account").unwrap()), tables.people());
    store.close();
    sealed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_goes_to_a_cql_server_and_back_byte_for_byte_also_when_it_is_killed_on_the_way() {
    let (mut world, server) = World::start(&Chance::new(7)).await;
    let before = live(&world, server).await;
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (key, source) = (file("key"), Place::embedded(&world.data()));
    source.export(&file("first"), &key);
    let log = batches(&file("first"));
    assert!(log.len() > TEXTS, "{} batches", log.len());

    let options = keyspace("transfer").await;
    let far = Place::cql(&file("far"), &options);
    let mut killed = far.command(&["import", "--from", text(&file("first")), "--key", text(&key)]).spawn().unwrap();
    until("half of it is there", async || batches_of(&options).await > 5).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(batches_of(&options).await < i64::try_from(log.len()).unwrap(), "the kill came too late to show anything");
    assert!(!far.run(&["inspect", "--tenant", "system"]).contains("demo"), "half a tenant is nobody's");
    far.import(&file("first"), &key);
    far.import(&file("first"), &key);
    assert_eq!(far.events(), source.events());

    far.export(&file("second"), &key);
    assert_eq!(batches(&file("second")), log);
    let back = Place::embedded(&file("back/data"));
    back.import(&file("second"), &key);
    back.export(&file("third"), &key);
    assert_eq!(batches(&file("third")), log);
    assert_eq!(sealed(&back.directory), sealed(&source.directory));

    // The demo's secret at its carrier is in a file of its own beside the store.
    let own = "demo-carrier.key";
    fs::copy(world.data().join(own), back.directory.join(own)).unwrap();
    goes_on(&mut world, &back, &before).await;
}

/// Where it is now, it is as if it had always been: the same inbox, and who writes again is known.
async fn goes_on(world: &mut World, place: &Place, before: &Value) {
    let moved = place.directory.clone();
    fs::remove_dir_all(world.data()).unwrap();
    fs::create_dir_all(world.data().parent().unwrap()).unwrap();
    fs::rename(moved, world.data()).unwrap();
    let mut server = world.spawn();
    server.wait_until_ready();
    world.token = world.command(&["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"]);
    assert_eq!(inbox(world).await, *before);
    let texting = Texting { from: contact(1), body: "me again".to_owned(), ..Texting::default() };
    assert!(world.carrier.text(&texting).await.is_ok());
    let (now, before) = (inbox(world).await, before.as_array().unwrap());
    assert_eq!(now.as_array().unwrap().len(), before.len(), "nobody new: {now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trimmed_tenant_takes_its_baseline_along() {
    let (world, server) = World::start(&Chance::new(8)).await;
    live(&world, server).await;
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (key, source) = (file("key"), Place::embedded(&world.data()));
    source.run(&["trim", "--tenant", "demo", "--to", "30", "--recent"]);
    source.export(&file("first"), &key);
    let log = batches(&file("first"));
    assert!(log[0].header.first.0 > 1);

    let options = keyspace("transfer_trimmed").await;
    let far = Place::cql(&file("far"), &options);
    far.import(&file("first"), &key);
    far.export(&file("second"), &key);
    assert_eq!(batches(&file("second")), log);
    let back = Place::embedded(&file("back"));
    back.import(&file("second"), &key);
    for place in [&far, &back] {
        assert_eq!(place.events(), source.events());
        // A trim and a rebuild on top of what came.
        place.run(&["trim", "--tenant", "demo", "--to", "40", "--recent"]);
        place.run(&["rebuild", "--tenant", "demo"]);
        place.run(&["verify"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_data_of_the_tenant_is_refused_and_left_alone() {
    let (world, server) = World::start(&Chance::new(9)).await;
    live(&world, server).await;
    let (other, server) = World::start(&Chance::new(10)).await;
    assert!(server.terminate().success());
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (source, target) = (Place::embedded(&world.data()), Place::embedded(&other.data()));
    source.export(&file("export"), &file("key"));
    let before = target.events();
    let import = |key: &str| ["import", "--from", text(&file("export")), "--key", text(&file(key))].map(str::to_owned);
    let refused = |key: &str, why: &str| {
        let arguments = import(key);
        target.refused(&arguments.each_ref().map(String::as_str), why);
    };
    refused("key", "other data of demo");
    assert_eq!(target.events(), before);
    fs::write(file("wrong"), [1; 32]).unwrap();
    refused("wrong", "sealed with another key");
    let mut bytes = fs::read(file("export")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file("export"), bytes).unwrap();
    refused("key", "is damaged at byte");
    source
        .refused(&["export", "--tenant", "nobody", "--to", text(&file("x")), "--key", text(&file("key"))], "no tenant");
}
