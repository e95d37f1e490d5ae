//! Template rendering and the cost of what comes out.

use schema::{
    segments::{self, Encoding},
    settings::{TemplateSettings, TenantSettings},
};

use crate::input::texts;

const VARIABLE: &str = "{business}";

/// A template and the business's name, parted by a zero byte.
pub fn run(data: &[u8]) {
    let [business_name, text] = texts::<2>(data);
    let template = TemplateSettings { text };
    let tenant = TenantSettings { business_name };
    let rendered = template.render(&tenant);
    // Filled in once: what a name holds is never a variable.
    let parts: Vec<&str> = template.text.split(VARIABLE).collect();
    assert_eq!(rendered, parts.join(&tenant.business_name));
    assert_eq!(template.segments(&tenant), segments::count(&rendered).segments);
    cost(&rendered);
}

fn cost(text: &str) {
    let count = segments::count(text);
    let (single, part) = match count.encoding {
        Encoding::Gsm7 => (160, 153),
        Encoding::Ucs2 => (70, 67),
    };
    let wide = count.units.div_ceil(part);
    if count.units <= single {
        assert_eq!(count.segments, 1);
    } else if count.segments < u16::MAX {
        // A character that would straddle leaves a unit free, at most one a segment.
        let most = count.units.div_ceil(part - 1);
        assert!((wide..=most).contains(&u32::from(count.segments)), "{count:?}");
    }
}
