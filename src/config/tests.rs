//! Tests of the configuration.

use std::{io::Write, time::Duration};

use super::*;

fn load(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::layered(None, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn refused(environment: &[(&str, &str)]) -> String {
    load(environment).expect_err("it must be refused").to_string()
}

#[test]
fn the_annotated_file_is_whole_and_valid() {
    let config = Config::default();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.public_url, "http://localhost:8080");
    assert_eq!(config.data.directory, Path::new("data"));
    assert!(!config.demo.enabled);
    assert_eq!(config.tenant.batch_max_bytes, 512 * 1024);
    assert_eq!(config.outbox.text_back_validity_s.duration(), Duration::from_secs(600));
}

#[test]
fn every_key_has_a_comment_above_it() {
    let mut commented = false;
    for line in DEFAULT_TOML.lines() {
        let is_key = line.contains(" = ") && !line.starts_with('#');
        assert!(!is_key || commented, "{line} says no why");
        commented = line.starts_with('#') || (commented && is_key);
    }
}

#[test]
fn a_file_changes_what_it_names_and_the_environment_wins_over_it() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "[server]\nlisten = \"127.0.0.1:9000\"\ndrain_ms = 5000\n[tenant]\nmailbox_max = 64").unwrap();
    let environment = [("DESKWIRE__SERVER__LISTEN".to_owned(), "127.0.0.1:9001".to_owned())];
    let config = Config::layered(Some(file.path()), environment.into_iter()).unwrap();
    assert_eq!(config.server.listen.port(), 9001);
    assert_eq!(config.server.drain_ms.0, 5000);
    assert_eq!(config.tenant.mailbox_max, 64);
    assert_eq!(config.feed.ring_max_events, Config::default().feed.ring_max_events);
}

#[test]
fn environment_takes_lists_numbers_words_and_leaves_other_variables_alone() {
    let config = load(&[
        ("DESKWIRE__SERVER__ALLOWED_ORIGINS", r#"["https://a.example", "https://b.example:8443"]"#),
        ("DESKWIRE__TENANT__IDLE_S", "7"),
        ("DESKWIRE__DEMO__ENABLED", "true"),
        ("DESKWIRE__DATA__DIRECTORY", "/tmp/x"),
        ("DESKWIRE__TELEMETRY__FORMAT", "json"),
        ("DESKWIRE_TEST_CQL", "127.0.0.1"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.server.allowed_origins, ["https://a.example", "https://b.example:8443"]);
    assert_eq!(config.tenant.idle_s, Seconds(7));
    assert!(config.demo.enabled);
    assert_eq!(config.data.directory, Path::new("/tmp/x"));
    assert_eq!(config.telemetry.format, LogFormat::Json);
}

#[test]
fn a_fault_names_the_key_the_value_and_what_is_allowed() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "DESKWIRE__SERVER__LISTEN",
            "nowhere",
            &["server.listen", "\"nowhere\"", "127.0.0.1:8080", "DESKWIRE__SERVER__LISTEN"],
        ),
        ("DESKWIRE__TENANT__MAILBOX_MAX", "3", &["tenant.mailbox_max = 3", "from 16 to 1000000"]),
        ("DESKWIRE__TENANT__MAILBOX_MAX", "many", &["tenant.mailbox_max = \"many\"", "from 16 to 1000000"]),
        ("DESKWIRE__TENANT__MAILBOX_MAX", "-1", &["tenant.mailbox_max = -1", "from 16 to 1000000"]),
        ("DESKWIRE__TENANT__BATCH_MAX_BYTES", "524289", &["tenant.batch_max_bytes = 524289", "to 524288"]),
        ("DESKWIRE__TELEMETRY__FORMAT", "xml", &["telemetry.format = \"xml\"", "\"text\" or \"json\""]),
        ("DESKWIRE__TELEMETRY__FILTER", "deskwire=loud", &["telemetry.filter = \"deskwire=loud\"", "must be a level"]),
        ("DESKWIRE__TELEMETRY__OTLP_SAMPLE_RATIO", "1.5", &["telemetry.otlp_sample_ratio = 1.5", "from 0 to 1"]),
        ("DESKWIRE__TELEMETRY__OTLP_SAMPLE_RATIO", "all", &["telemetry.otlp_sample_ratio = \"all\"", "from 0 to 1"]),
        ("DESKWIRE__TELEMETRY__OTLP_ENDPOINT", "localhost:4318", &["telemetry.otlp_endpoint", "http or https URL"]),
        ("DESKWIRE__SERVER__PUBLIC_URL", "desk.example.com", &["server.public_url", "http or https URL"]),
        ("DESKWIRE__SERVER__PUBLIC_URL", "https://desk.example.com/x", &["server.public_url", "without a path"]),
        ("DESKWIRE__SERVER__ALLOWED_ORIGINS", "[\"*\"]", &["server.allowed_origins = \"*\"", "must be origins"]),
        ("DESKWIRE__DEMO__ENABLED", "perhaps", &["demo.enabled = \"perhaps\"", "true or false"]),
        ("DESKWIRE__OUTBOX__RETRY_MAX_MS", "1000", &["outbox.retry_min_ms = 2000", "outbox.retry_max_ms = 1000"]),
        ("DESKWIRE__SERVER__LISTNE", "x", &["server.listne", "unknown key", "listen", "DESKWIRE__SERVER__LISTNE"]),
        ("DESKWIRE__SERVICE__LISTEN", "x", &["service", "unknown key", "server", "DESKWIRE__SERVICE__LISTEN"]),
        ("DESKWIRE__SERVER", "x", &["server = \"x\""]),
    ];
    for (name, value, wanted) in cases {
        let said = refused(&[(name, value)]);
        for part in *wanted {
            assert!(said.contains(part), "{name}={value} said {said:?}, without {part:?}");
        }
    }
}

#[test]
fn a_shared_secret_is_checked_and_never_shown() {
    let long = "a-secret-that-is-long-enough-for-hs256";
    for value in ["short-secret", "[\"short-secret\"]", "[12, \"short-secret\"]", "{a = \"short-secret\"}"] {
        let said = refused(&[("DESKWIRE__AUTH__SHARED_SECRETS", value)]);
        assert!(said.contains("auth.shared_secrets") && said.contains("32 bytes"), "{said}");
        assert!(!said.contains("short-secret"), "{said}");
    }
    let five = format!("[{}]", vec![format!("{long:?}"); 5].join(","));
    assert!(refused(&[("DESKWIRE__AUTH__SHARED_SECRETS", &five)]).contains("at most 4"));
    let config = load(&[("DESKWIRE__AUTH__SHARED_SECRETS", &format!("[{long:?}]"))]).unwrap();
    assert_eq!(config.auth.shared_secrets[0].reveal(), long);
    assert!(!format!("{config:?}").contains(long));
}

#[test]
fn a_quoted_variable_is_read_as_in_a_file_and_what_is_not_toml_is_text() {
    for (value, wanted) in [
        (r#""/tmp/\u00fcber/\t""#, "/tmp/über/\t"),
        (r#""/tmp/über\\x""#, "/tmp/über\\x"),
        (r"'/tmp/über\x'", r"/tmp/über\x"),
        (r#""��\E""#, r#""��\E""#),
        ("[/tmp", "[/tmp"),
        (" /tmp/x ", "/tmp/x"),
    ] {
        let config = load(&[("DESKWIRE__DATA__DIRECTORY", value)]).unwrap();
        assert_eq!(config.data.directory, Path::new(wanted), "{value}");
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let said = refused(&[("DESKWIRE__TENANT__MAILBOX_MAX", "3"), ("DESKWIRE__STREAM__ERRORS_MAX", "0")]);
    assert!(said.contains("tenant.mailbox_max") && said.contains("stream.errors_max"), "{said}");
}

#[test]
fn demo_mode_is_refused_on_any_address_but_loopback() {
    for listen in ["0.0.0.0:8080", "192.0.2.7:8080", "[::]:8080"] {
        let said = refused(&[("DESKWIRE__DEMO__ENABLED", "true"), ("DESKWIRE__SERVER__LISTEN", listen)]);
        assert!(said.contains("demo.enabled = true") && said.contains(listen), "{said}");
    }
    for listen in ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080"] {
        load(&[("DESKWIRE__DEMO__ENABLED", "true"), ("DESKWIRE__SERVER__LISTEN", listen)]).unwrap();
    }
}

#[test]
fn a_file_that_is_missing_or_broken_is_named() {
    let missing = Config::layered(Some(Path::new("/nowhere/my.toml")), std::iter::empty()).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/my.toml") && missing.contains("cannot be read"), "{missing}");

    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "[server]\nlisten = 12\ndrain = 3").unwrap();
    let wrong = Config::layered(Some(file.path()), std::iter::empty()).unwrap_err().to_string();
    assert!(wrong.contains(&file.path().display().to_string()), "{wrong}");

    writeln!(file, "[server").unwrap();
    let broken = Config::layered(Some(file.path()), std::iter::empty()).unwrap_err().to_string();
    assert!(broken.contains(&file.path().display().to_string()) || broken.contains("TOML"), "{broken}");
}

#[test]
fn a_keyspace_that_cannot_hold_promises_is_refused_only_where_it_is_used() {
    let with = |kind: &str, more: &str| {
        let file = format!("[store]\nkind = \"{kind}\"\n[cql]\n{more}\n");
        Config::of_text(&file, std::iter::empty()).map_err(|error| error.to_string())
    };
    let one = "replication = \"{'class': 'NetworkTopologyStrategy', 'east': 3, 'west': 1}\"";
    assert!(with("embedded", one).is_ok());
    assert!(with("cql", "").is_ok(), "the defaults keep three");
    assert!(with("cql", one).unwrap_err().contains("cql.replication"));
    assert!(with("cql", "replication = \"{'class': 'Everywhere'}\"").unwrap_err().contains("cql.replication"));
    assert!(with("cql", &format!("{one}\nallow_unsafe = true")).is_ok());
    assert!(with("cql", "user = \"desk\"").unwrap_err().contains("cql.password_file"));
    assert!(with("cql", "contact_points = []").unwrap_err().contains("cql.contact_points"));
    assert!(with("cassandra", "").unwrap_err().contains("store.kind"));
}

#[test]
fn shared_limits_need_an_address_without_a_password_in_it() {
    let with = |more: &str| {
        let file = format!("[limits]\nkind = \"redis\"\nmembers = 3\n[redis]\n{more}\n");
        Config::of_text(&file, std::iter::empty()).map_err(|error| error.to_string())
    };
    assert!(with("").is_ok());
    assert!(with("url = \"\"\nsentinels = [\"10.0.0.1:26379\"]").is_ok());
    let refused = [
        ("url = \"10.0.0.1\"", "redis.url"),
        ("url = \"redis://:hush@10.0.0.1\"", "redis.url"),
        ("sentinels = [\"alone\"]", "redis.sentinels"),
        ("user = \"desk\"", "redis.password_file"),
        ("prefix = \"a b\"", "redis.prefix"),
        ("answer_within_ms = 900\nslice_max_ms = 1000", "redis.answer_within_ms"),
    ];
    for (more, key) in refused {
        let said = with(more).unwrap_err();
        assert!(said.contains(key) && !said.contains("hush"), "{said}");
    }
}

#[test]
fn several_nodes_need_what_they_share() {
    let with = |sections: &str| Config::of_text(sections, std::iter::empty()).map_err(|error| error.to_string());
    let shared = "[store]\nkind = \"cql\"\n[limits]\nkind = \"redis\"\n[cql]\nmaster_key_file = \"m\"\n[auth]\nkeys_directory = \"t\"\n[cluster]\nenabled = true\n";
    let files = "secret_file = \"s\"\nca_file = \"a\"\ncertificate_file = \"c\"\nkey_file = \"k\"\n";
    assert!(with(&format!("{shared}{files}")).is_ok());
    let alone = with("[cluster]\nenabled = true\n").unwrap_err();
    for key in [
        "store.kind",
        "limits.kind",
        "cluster.secret_file",
        "cluster.ca_file",
        "auth.keys_directory",
        "cql.master_key_file",
    ] {
        assert!(alone.contains(key), "{alone}");
    }
    for (more, key) in [
        ("gossip_listen = \"0.0.0.0:7946\"", "cluster.gossip_listen"),
        ("seeds = [\"alone\"]", "cluster.seeds"),
        ("name = \"\"", "cluster.name"),
        ("confirm_within_ms = 1", "cluster.confirm_within_ms"),
    ] {
        let said = with(&format!("{shared}{files}{more}\n")).unwrap_err();
        assert!(said.contains(key), "{said}");
    }
    let replication = "replication = \"{'class': 'NetworkTopologyStrategy', 'east': 1}\"";
    let one = with(&format!("{shared}{files}").replace("[cql]", &format!("[cql]\n{replication}"))).unwrap_err();
    assert!(one.contains("cql.replication"), "one replica: {one}");
}
