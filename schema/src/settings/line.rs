//! Settings of one line: its number, what becomes of a call, who gets a text, and which keywords its carrier answers.

use serde::{Deserialize, Serialize};

use super::TenantSettings;
use crate::{
    address::E164,
    event::Keyword,
    ids::{AccountId, TemplateId},
};

/// Settings of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChannelSettings {
    /// The business's own number, E.164.
    #[schema(pattern = "^(\\+[1-9][0-9]{6,14}|[0-9]{3,8})$")]
    pub address: String,
    /// The carrier account it belongs to.
    pub account: AccountId,
    /// Whether a missed call is answered by a text.
    pub coverage: bool,
    /// The template of that text.
    pub text_back: Option<TemplateId>,
    /// One text-back per caller in this many seconds.
    pub cool_down_s: u32,
    /// What the engine says where it answers a keyword itself.
    #[serde(default)]
    pub answers: KeywordAnswers,
    /// What kind of number it is: decides what its carrier does by default.
    #[serde(default)]
    pub number_type: NumberType,
    /// Which keywords the carrier answers itself; none: what carriers do by default for this kind of number.
    #[serde(default)]
    pub carrier_answers: Option<CarrierAnswers>,
    /// What becomes of a call.
    #[serde(default)]
    pub voice: VoiceSettings,
    /// Numbers of the business's own people, E.164. They get no text-back.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 200)]
    pub staff: Vec<E164>,
    /// Text the business's own people all the same.
    #[serde(default)]
    pub text_back_staff: bool,
    /// Text callers from another country than the line's, too.
    #[serde(default)]
    pub text_back_abroad: bool,
}

/// What the engine says after a keyword that it answers. None: a sentence of its own that names the business.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeywordAnswers {
    /// After STOP.
    pub stop: Option<TemplateId>,
    /// After START.
    pub start: Option<TemplateId>,
    /// After HELP.
    pub help: Option<TemplateId>,
}

impl KeywordAnswers {
    /// The template for a keyword.
    pub fn of(&self, word: Keyword) -> Option<&TemplateId> {
        match word {
            Keyword::Stop => self.stop.as_ref(),
            Keyword::Start => self.start.as_ref(),
            Keyword::Help => self.help.as_ref(),
        }
    }
}

/// Kinds of numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberType {
    /// An ordinary number with ten digits.
    #[default]
    LongCode,
    /// 800, 833, 844, 855, 866, 877, 888.
    TollFree,
    /// Three to eight digits; takes no calls.
    ShortCode,
}

/// Which keywords the carrier answers itself; the engine answers the others, so that each gets one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CarrierAnswers {
    /// STOP and its kin: it also keeps a list and refuses texts to whoever is on it.
    pub stop: bool,
    /// START and its kin.
    pub start: bool,
    /// HELP and INFO.
    pub help: bool,
}

/// What becomes of a call to the line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceSettings {
    /// Whether the business's own telephone rings first.
    pub mode: VoiceMode,
    /// The template that is spoken when nobody takes the call; none: a sentence that names the business.
    pub greeting: Option<TemplateId>,
    /// Whether the caller may leave a message after the greeting.
    pub voicemail: Option<Voicemail>,
}

/// Who has had the call before us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoiceMode {
    /// Calls are forwarded here when nobody took them: every call that reaches us was missed.
    #[default]
    Forwarded,
    /// The business's telephone rings; what nobody takes was missed.
    Ring(Ring),
}

/// Rings the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// The telephone that rings, E.164.
    #[schema(value_type = String, pattern = "^\\+[1-9][0-9]{6,14}$")]
    pub phone: E164,
    /// How long, in seconds, 5 to 120.
    #[serde(default = "Ring::default_s")]
    #[schema(minimum = 5, maximum = 120)]
    pub ring_s: u16,
    /// Whoever answers must press 1: a voicemail that picks up has not taken the call.
    #[serde(default)]
    pub confirm: bool,
}

impl Ring {
    fn default_s() -> u16 {
        20
    }
}

/// A message after the tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Voicemail {
    /// Longest message, in seconds, 5 to 600.
    #[schema(minimum = 5, maximum = 600)]
    pub max_s: u16,
}

impl Default for Voicemail {
    fn default() -> Self {
        Self { max_s: 120 }
    }
}

impl NumberType {
    /// What carriers answer by default. Long code: all three (support.twilio.com 223134027). Toll-free: STOP and START
    /// at the network's own level, HELP by the carrier (360058144374). Short code: nothing (223181748).
    pub fn carrier_answers(self) -> CarrierAnswers {
        let all = self != Self::ShortCode;
        CarrierAnswers { stop: all, start: all, help: all }
    }
}

impl CarrierAnswers {
    /// Whether the carrier answers this one.
    pub fn has(self, word: Keyword) -> bool {
        match word {
            Keyword::Stop => self.stop,
            Keyword::Start => self.start,
            Keyword::Help => self.help,
        }
    }
}

/// Confirmations for lines without templates: each names the business and says what is possible next (CTIA).
const STOPPED: &str =
    "{business}: You are unsubscribed and will get no more texts from us. Reply START to get them again.";
const STARTED: &str = "{business}: You will get our texts. Reply HELP for help, STOP to unsubscribe.";
const HELP: &str =
    "{business}: Reply to this text and a person will answer. Reply STOP to unsubscribe. Msg & data rates may apply.";

impl ChannelSettings {
    /// Most numbers of the business's own people.
    pub const STAFF_MAX: usize = 200;

    /// Which keywords the carrier answers itself.
    pub fn carrier_answers(&self) -> CarrierAnswers {
        self.carrier_answers.unwrap_or_else(|| self.number_type.carrier_answers())
    }

    /// What to call the business: its name, or at least its number.
    pub fn business<'a>(&'a self, tenant: &'a TenantSettings) -> &'a str {
        if tenant.business_name.trim().is_empty() { &self.address } else { &tenant.business_name }
    }

    /// The engine's own words after a keyword.
    pub fn confirmation(&self, word: Keyword, tenant: &TenantSettings) -> String {
        let text = match word {
            Keyword::Stop => STOPPED,
            Keyword::Start => STARTED,
            Keyword::Help => HELP,
        };
        text.replace("{business}", self.business(tenant))
    }

    /// The engine's own words to a caller whom nobody could take.
    pub fn greeting(&self, tenant: &TenantSettings) -> String {
        let mut text = format!("Thank you for calling {}. Sorry that we missed your call.", self.business(tenant));
        if self.coverage {
            text += " We will send you a text message.";
        }
        if self.voice.voicemail.is_some() {
            text += " You can leave a message after the tone.";
        }
        text
    }

    /// Whether a caller is one of the business's own people.
    pub fn is_staff(&self, caller: &E164) -> bool {
        let rings = matches!(&self.voice.mode, VoiceMode::Ring(ring) if ring.phone == *caller);
        rings || self.staff.contains(caller)
    }

    /// Whether a caller's number is of another country than the line's. The United States and Canada share toll-free
    /// numbers; a number whose country is not known counts by its calling code alone.
    pub fn is_abroad(&self, caller: &E164) -> bool {
        let Ok(line) = E164::new(&self.address) else { return false };
        let (Some(line), Some(caller)) = (line.region(), caller.region()) else { return false };
        if line.code != caller.code {
            return true;
        }
        let shared = self.number_type == NumberType::TollFree && line.code == 1;
        match (line.country.as_deref(), caller.country.as_deref()) {
            (_, Some("US" | "CA")) if shared => false,
            (Some(line), Some(caller)) => line != caller,
            _ => false,
        }
    }
}

/// The settings of a line as version 1 of `settings.channel` has them on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings1 {
    /// The line's number.
    pub address: String,
    /// Its account.
    pub account: AccountId,
    /// Whether missed calls are answered.
    pub coverage: bool,
    /// By which template.
    pub text_back: Option<TemplateId>,
    /// How often.
    pub cool_down_s: u32,
    /// Which keywords the engine answers; the carrier answers the others.
    pub answers: KeywordAnswers,
}

impl From<ChannelSettings1> for ChannelSettings {
    /// In version 1 a template for a keyword said that the carrier does not answer it.
    fn from(old: ChannelSettings1) -> Self {
        let carrier = CarrierAnswers {
            stop: old.answers.stop.is_none(),
            start: old.answers.start.is_none(),
            help: old.answers.help.is_none(),
        };
        Self {
            coverage: old.coverage,
            text_back: old.text_back,
            cool_down_s: old.cool_down_s,
            answers: old.answers,
            carrier_answers: Some(carrier),
            ..Self::new(old.address, old.account)
        }
    }
}

impl ChannelSettings {
    /// A long code that answers nothing yet.
    pub fn new(address: impl Into<String>, account: AccountId) -> Self {
        Self {
            address: address.into(),
            account,
            coverage: false,
            text_back: None,
            cool_down_s: 600,
            answers: KeywordAnswers::default(),
            number_type: NumberType::default(),
            carrier_answers: None,
            voice: VoiceSettings::default(),
            staff: Vec::new(),
            text_back_staff: false,
            text_back_abroad: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(address: &str) -> ChannelSettings {
        ChannelSettings::new(address, AccountId::new("account").expect("a slug"))
    }

    fn number(text: &str) -> E164 {
        E164::new(text).expect("a number")
    }

    #[test]
    fn abroad_is_another_country_even_under_the_same_calling_code() {
        let here = line("+14155550199");
        for domestic in ["+12125550100", "+17875550100", "+15005550006", "+18005550100"] {
            assert!(!here.is_abroad(&number(domestic)), "{domestic}");
        }
        for abroad in ["+16135550100", "+18765550100", "+442079460018", "+33630000000"] {
            assert!(here.is_abroad(&number(abroad)), "{abroad}");
        }
        let toll_free = ChannelSettings { number_type: NumberType::TollFree, ..line("+18005550199") };
        assert!(!toll_free.is_abroad(&number("+16135550100")), "Canada calls the same toll-free numbers");
        assert!(toll_free.is_abroad(&number("+18765550100")), "Jamaica does not");
        assert!(!line("72975").is_abroad(&number("+442079460018")), "a short code has no country");
    }

    #[test]
    fn staff_are_those_listed_and_the_telephone_that_rings() {
        let ring = Ring { phone: number("+14155550111"), ring_s: 20, confirm: true };
        let voice = VoiceSettings { mode: VoiceMode::Ring(ring), ..VoiceSettings::default() };
        let line = ChannelSettings { staff: vec![number("+14155550112")], voice, ..line("+14155550199") };
        assert!(line.is_staff(&number("+14155550111")) && line.is_staff(&number("+14155550112")));
        assert!(!line.is_staff(&number("+14155550113")));
    }

    #[test]
    fn what_is_left_out_of_a_line_has_its_default() {
        let json = r#"{"address":"+14155550199","account":"a","coverage":true,"text_back":null,"cool_down_s":60}"#;
        let line: ChannelSettings = serde_json::from_str(json).expect("complete");
        assert_eq!(line.voice.mode, VoiceMode::Forwarded);
        assert_eq!(line.carrier_answers(), CarrierAnswers { stop: true, start: true, help: true });
        let ring: VoiceMode = serde_json::from_str(r#"{"ring":{"phone":"+14155550111"}}"#).expect("complete");
        let VoiceMode::Ring(ring) = ring else { panic!("{ring:?}") };
        assert_eq!((ring.ring_s, ring.confirm), (20, false));
    }

    #[test]
    fn every_own_sentence_names_the_business_and_fits_one_segment() {
        let tenant = TenantSettings { business_name: "Harbour Plumbing".to_owned() };
        for word in [Keyword::Stop, Keyword::Start, Keyword::Help] {
            let text = line("+14155550199").confirmation(word, &tenant);
            assert!(text.starts_with("Harbour Plumbing: "), "{text}");
            assert_eq!(crate::segments::count(&text).segments, 1, "{text}");
        }
        let nameless = line("+14155550199").confirmation(Keyword::Stop, &TenantSettings::default());
        assert!(nameless.starts_with("+14155550199: "), "{nameless}");
    }
}
