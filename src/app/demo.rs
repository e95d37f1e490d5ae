//! The demo tenant: a business with one line at the simulated carrier, made at start when `demo.enabled` says so.

use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use actors::engine::Engine;
use anyhow::Context as _;
use schema::{
    command::{Command, Registration, Request, Setting},
    event::{Author, Origin, Via},
    ids::{AccountId, ChannelId, OperatorId, TemplateId, TenantId},
    role::Role,
    settings::{ChannelSettings, LimitSettings, TemplateSettings, TenantSettings, VoiceSettings, Voicemail},
};

use super::Stores;
use crate::{auth, page::Guest};

/// The demo's own tenant.
pub(crate) const TENANT: &str = "demo";
const CHANNEL: &str = "demo-line";
const ACCOUNT: &str = "demo-account";
const ADDRESS: &str = "+15005550006";
const TEXT_BACK: &str = "text-back";
const SORRY: &str =
    "Hi, this is {business}. Sorry we missed your call! What can we help you with? Reply STOP to opt out.";

/// Who the page is when nobody says who they are. An admin, so that every part of the page can be seen.
pub(crate) fn guest(carrier_url: &str) -> anyhow::Result<Guest> {
    let phone = format!("{}/phone", carrier_url.trim_end_matches('/'));
    Ok(Guest { tenant: TenantId::new(TENANT)?, operator: OperatorId::new("maria")?, role: Role::Admin, phone })
}

/// Makes what is missing of the demo; a second start changes nothing.
pub(crate) async fn ensure(engine: &Engine, stores: &Stores, directory: &Path, public_url: &str) -> anyhow::Result<()> {
    let (tenant, account) = (TenantId::new(TENANT)?, AccountId::new(ACCOUNT)?);
    let carrier = carrier(directory).context("the demo's carrier account")?;
    let registrations = [
        Registration::Tenant(tenant.clone()),
        Registration::Account { account: account.clone(), tenant: tenant.clone(), carrier_id: carrier.sid.clone() },
        Registration::Channel {
            channel: ChannelId::new(CHANNEL)?,
            tenant: tenant.clone(),
            account: account.clone(),
            address: ADDRESS.to_owned(),
        },
    ];
    for registration in registrations {
        engine.submit(&TenantId::system(), request(engine, Command::Register(registration))).await?;
    }
    if (stores.secrets.get)(&account).is_empty() {
        (stores.secrets.put)(account.clone(), carrier.token.clone()).await.context("the demo's secret")?;
    }
    // What somebody changed in the demo stays changed.
    if !engine.tenant(&tenant).await?.settings().channels.is_empty() {
        return write_carrier_file(directory, &carrier, public_url).context("the simulated carrier's file");
    }
    for setting in settings(&account)? {
        engine.submit(&tenant, request(engine, Command::Configure(setting))).await?;
    }
    write_carrier_file(directory, &carrier, public_url).context("the simulated carrier's file")
}

fn request(engine: &Engine, command: Command) -> Request {
    let request = engine.ports().ids.request();
    Request { command, origin: Origin { by: Author::Engine, via: Via::Engine, request }, key: None }
}

fn settings(account: &AccountId) -> anyhow::Result<Vec<Setting>> {
    let text_back = TemplateId::new(TEXT_BACK)?;
    // A long code: its carrier answers STOP, START and HELP. Calls are forwarded to it, so every one is missed.
    let channel = ChannelSettings {
        coverage: true,
        text_back: Some(text_back.clone()),
        voice: VoiceSettings { voicemail: Some(Voicemail::default()), ..VoiceSettings::default() },
        ..ChannelSettings::new(ADDRESS, account.clone())
    };
    Ok(vec![
        Setting::Tenant(TenantSettings { business_name: "Harbour Plumbing".to_owned() }),
        Setting::Template(text_back, Some(TemplateSettings { text: SORRY.to_owned() })),
        Setting::Channel(ChannelId::new(CHANNEL)?, channel),
        Setting::Limits(ChannelId::new(CHANNEL)?, LimitSettings::default()),
    ])
}

/// The account at the simulated carrier, as both sides know it.
struct CarrierAccount {
    sid: String,
    token: String,
}

/// Made at first start, as every secret here: none ships.
fn carrier(directory: &Path) -> anyhow::Result<CarrierAccount> {
    let secret = auth::secret_file(directory, "demo-carrier.key")?;
    let hex = hex::encode(secret);
    Ok(CarrierAccount { sid: format!("AC{}", &hex[..32]), token: hex[32..].to_owned() })
}

/// What `loadtest carrier` needs to play this line's carrier; only the owner can read it.
fn write_carrier_file(directory: &Path, carrier: &CarrierAccount, public_url: &str) -> anyhow::Result<()> {
    let text = format!(
        "# Written at every start of the demo; read by `loadtest carrier --config`.\n\
         engine_url = \"{public_url}\"\n\n\
         [[accounts]]\nsid = \"{sid}\"\ntoken = \"{token}\"\n\n\
         [[lines]]\nchannel = \"{CHANNEL}\"\naddress = \"{ADDRESS}\"\naccount = \"{sid}\"\n\
         number_type = \"long-code\"\n\
         limits = {{ number_per_s = 1 }}\n",
        sid = carrier.sid,
        token = carrier.token,
    );
    let path = directory.join("demo-carrier.toml");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
