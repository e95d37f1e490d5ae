//! The benches in their small form: each comes to its end on the real binary and leaves its figures. What the figures
//! are is not looked at; that the tables can be made of them is.

use std::path::{Path, PathBuf};

use clap::Parser;
use loadtest::bench::{Arguments, Bench, Document, run};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(bench: &str, out: &Path) -> Arguments {
    let engine = PathBuf::from(env!("CARGO_BIN_EXE_deskwire"));
    let line = ["bench", bench, "--quick", "--engine", engine.to_str().unwrap(), "--out", out.to_str().unwrap()];
    Line::parse_from(line).arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bench_comes_to_its_end_and_its_figures_make_the_tables() {
    let out = tempfile::tempdir().unwrap();
    for bench in Bench::all() {
        let document =
            run(arguments(&bench.name(), out.path())).await.unwrap_or_else(|error| panic!("{bench:?}: {error:#}"));
        assert!(!document.rows.is_empty() && document.quick, "{bench:?}");
        let wrong: Vec<_> = document.rows.iter().filter(|row| !row.figure.is_finite()).collect();
        assert!(wrong.is_empty(), "{bench:?}: {wrong:?}");
    }
    let documents = Document::read_all(out.path()).unwrap();
    assert_eq!(documents.len(), Bench::all().count());
    let bars: std::collections::BTreeSet<u8> =
        documents.iter().flat_map(|document| document.rows.iter().map(|row| row.bar)).collect();
    // Bar 5, and the first half of bar 3, are measured inside: benches/.
    assert_eq!(bars.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 6, 7, 8, 9]);
    for table in ["docs/performance.md", "README.md"] {
        let copy = out.path().join(Path::new(table).file_name().unwrap());
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(table), &copy).unwrap();
        run(Arguments { tables: vec![copy.clone()], ..arguments("report", out.path()) }).await.unwrap();
        let text = std::fs::read_to_string(copy).unwrap();
        assert!(text.contains("| `make bench ARGS=storm` |"), "{table}");
    }
}
