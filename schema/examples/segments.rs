//! Prints what each line of standard input costs: encoding, units, segments. For `scripts/compare-segments.mjs`.

use std::io::{self, BufRead, Write};

use schema::segments;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let count = segments::count(&line?);
        writeln!(out, "{:?} {} {}", count.encoding, count.units, count.segments)?;
    }
    out.flush()
}
