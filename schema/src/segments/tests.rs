//! The vectors of carriers.md D.8 (made with npm `sms-segments-calculator` 1.3.0), and what holds for every text.

use proptest::prelude::*;

use super::*;

fn segments(text: &str) -> u16 {
    count(text).segments
}

#[test]
fn plain_texts_hold_160_then_153_septets() {
    for (length, expected) in [(0, 1), (1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)] {
        assert_eq!(segments(&"a".repeat(length)), expected, "{length} letters");
    }
}

#[test]
fn extension_characters_cost_two_septets() {
    assert_eq!(segments(&"€".repeat(80)), 1);
    assert_eq!(segments(&"€".repeat(81)), 2);
    for character in "^{}\\[]~|€\u{c}".chars() {
        let count = count(&character.to_string());
        assert_eq!((count.encoding, count.units), (Encoding::Gsm7, 2), "{character:?}");
    }
}

#[test]
fn a_two_septet_character_does_not_straddle_two_segments() {
    let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
    assert_eq!(count(&text), Count { encoding: Encoding::Gsm7, units: 306, segments: 3 });
}

#[test]
fn other_scripts_hold_70_then_67_code_units() {
    for (length, expected) in [(70, 1), (71, 2), (134, 2), (135, 3)] {
        assert_eq!(segments(&"я".repeat(length)), expected, "{length} Cyrillic letters");
    }
}

#[test]
fn a_surrogate_pair_counts_two_and_does_not_straddle() {
    assert_eq!(segments(&"😀".repeat(35)), 1);
    assert_eq!(segments(&"😀".repeat(36)), 2);
    assert_eq!(segments(&format!("{}😀{}", "я".repeat(66), "я".repeat(10))), 2);
    let straddling = format!("{}😀{}", "я".repeat(66), "я".repeat(66));
    assert_eq!(count(&straddling), Count { encoding: Encoding::Ucs2, units: 134, segments: 3 });
}

#[test]
fn one_foreign_character_makes_the_whole_text_ucs2() {
    for foreign in ["it’s", "a\tb", "`", "ç", "á", "…", "–"] {
        assert_eq!(count(foreign).encoding, Encoding::Ucs2, "{foreign:?}");
    }
}

#[test]
fn the_basic_table_is_complete() {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                         ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    assert_eq!(BASIC.chars().count(), 127, "128 positions, one of them the escape");
    assert_eq!(count(BASIC), Count { encoding: Encoding::Gsm7, units: 127, segments: 1 });
    let known = (0..=0xffff).filter_map(char::from_u32).filter(|c| gsm7_width(*c).is_some()).count();
    assert_eq!(known, 127 + 10, "and nothing besides the two tables");
}

proptest! {
    #[test]
    fn segments_hold_all_units_and_never_waste_more_than_one_each(text in "\\PC{0,700}") {
        let count = count(&text);
        let (single, part) = (count.encoding.single(), count.encoding.part());
        if count.units <= single {
            prop_assert_eq!(count.segments, 1);
        } else {
            let segments = u32::from(count.segments);
            prop_assert!(segments * part >= count.units);
            prop_assert!((segments - 1) * (part - 1) < count.units);
        }
    }

    #[test]
    fn a_longer_text_never_costs_less(text in "[a-z€я😀]{0,400}", more in "[a-z€я😀]{0,5}") {
        let longer = text.clone() + &more;
        prop_assert!(segments(&longer) >= segments(&text));
    }
}
