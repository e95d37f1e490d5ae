//! The page and the engine say the same: its types are made from this engine's document, its counter is this counter.

use std::{fs, path::Path};

use schema::segments::{self, Encoding};
use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_pages_types_are_made_from_this_engines_document() {
    let made: Value = serde_json::from_str(&deskwire::app::openapi().unwrap()).unwrap();
    let held: Value = serde_json::from_str(&read("web/openapi.json")).unwrap();
    let how = "target/debug/deskwire openapi > web/openapi.json && (cd web && npm run types)";
    // Not `assert_eq`: a difference of 170 KB is of no use to anybody.
    assert!(made == held, "web/openapi.json is not what this engine says: {how}");
}

#[test]
fn the_pages_counter_gives_what_the_engines_gives() {
    let vectors: Vec<Value> = serde_json::from_str(&read("web/src/segments.vectors.json")).unwrap();
    assert!(vectors.len() > 60);
    for vector in vectors {
        let text = vector["text"].as_str().unwrap();
        let count = segments::count(text);
        let encoding = match count.encoding {
            Encoding::Gsm7 => "gsm7",
            Encoding::Ucs2 => "ucs2",
        };
        let ours =
            serde_json::json!({"encoding": encoding, "units": count.units, "segments": count.segments, "text": text});
        assert_eq!(ours, vector);
    }
}

#[test]
fn the_pages_script_is_within_its_size_where_it_was_built() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/assets");
    let Ok(files) = fs::read_dir(assets) else { return };
    let scripts = files.map(Result::unwrap).filter(|file| file.file_name().to_string_lossy().ends_with(".js.gz"));
    let bytes: u64 = scripts.map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes <= 150_000, "{bytes} bytes of script, gzipped");
}
