//! `[notify]`: whom the service tells what is not as it should be.

use std::fmt;

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::catalogue::problem::Problem;
use crate::collect::collector::Secret;
use crate::model::Span;

/// Whom the service tells what is not as it should be. Without a webhook it tells nobody.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifySettings {
    /// Where alerts are posted: a JSON array as Alertmanager's `POST /api/v2/alerts` takes it.
    pub webhook: Option<Webhook>,
    /// Sent as `Authorization: Bearer …`.
    pub bearer: Option<Secret>,
    /// Changes within this time go out in one request; what is over before then is not told. Default 30s.
    pub group_wait: Span,
    /// How long before its end a certificate or secret is told of. Default 21d.
    pub expiry_warning: Span,
    /// How long the webhook may take to answer. Default 10s.
    pub timeout: Span,
    /// How often what is still so is sent again. Not set: never, each change is told once. Alertmanager keeps alerts in
    /// memory only and needs it (`"2m"`); it tells people once all the same.
    pub resend: Option<Span>,
}

impl Default for NotifySettings {
    fn default() -> NotifySettings {
        NotifySettings {
            webhook: None,
            bearer: None,
            group_wait: Span::seconds(30),
            expiry_warning: Span::seconds(21 * 24 * 3600),
            timeout: Span::seconds(10),
            resend: None,
        }
    }
}

impl NotifySettings {
    /// What does not go together.
    pub(super) fn check(&self, file: &str, text: &str) -> Option<Problem> {
        if self.bearer.is_some() && self.webhook.is_none() {
            let at = text.find("bearer").unwrap_or(0);
            let fix = "add webhook = \"https://…\" or webhook = { secret = \"notify/webhook\" }, or remove bearer";
            return Some(Problem::at(file, text, at..at, "[notify] has a bearer but no webhook", fix));
        }
        None
    }
}

/// The address that alerts are posted to. Many hold a token, so it is never shown whole.
#[derive(Clone, PartialEq, Eq)]
pub enum Webhook {
    /// As it stands in the settings.
    Url(url::Url),
    /// As the secret of this name holds it.
    Secret(Secret),
}

impl Webhook {
    /// The address in a text.
    ///
    /// # Errors
    /// It is no http or https address. The text is not repeated: it may hold a token.
    pub fn address(text: &str) -> Result<url::Url, &'static str> {
        const WRONG: &str = "the webhook is no http or https address; write one like \"https://alerts.example.vn/api/v2/alerts\"";
        let url = url::Url::parse(text.trim()).map_err(|_| WRONG)?;
        if matches!(url.scheme(), "http" | "https") && url.host().is_some() { Ok(url) } else { Err(WRONG) }
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Webhook::Url(url) => write!(f, "{}…", shown(url)),
            Webhook::Secret(secret) => write!(f, "{secret:?}"),
        }
    }
}

/// The part of an address that may be shown: scheme, host and port.
pub fn shown(url: &url::Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

impl<'de> Deserialize<'de> for Webhook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Webhook, D::Error> {
        struct AddressOrSecret;
        impl<'de> Visitor<'de> for AddressOrSecret {
            type Value = Webhook;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address in quotes or { secret = \"notify/webhook\" }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Webhook, E> {
                Webhook::address(text).map(Webhook::Url).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Webhook, A::Error> {
                Secret::deserialize(MapAccessDeserializer::new(map)).map(Webhook::Secret)
            }
        }
        deserializer.deserialize_any(AddressOrSecret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn parse(text: &str) -> Result<NotifySettings, Problem> {
        Settings::parse("thuocdo.toml", text).map(|settings| settings.notify)
    }

    #[test]
    fn a_webhook_is_an_address_or_a_secret_and_never_shown() {
        let none = parse("").expect("settings");
        assert!(none.webhook.is_none() && none.resend.is_none());
        assert_eq!(
            (none.group_wait, none.timeout, none.expiry_warning.to_string()),
            (Span::seconds(30), Span::seconds(10), "21days".into())
        );
        let address = parse("[notify]\nwebhook = \"https://hooks.example.vn:8443/T0K3N?key=K3Y\"\ngroup_wait = \"1m\"").expect("settings");
        assert_eq!(
            (format!("{:?}", address.webhook), address.group_wait),
            ("Some(https://hooks.example.vn:8443…)".into(), Span::seconds(60))
        );
        let secret =
            parse("[notify]\nwebhook = { secret = \"notify/webhook\" }\nbearer = { secret = \"notify/token\" }").expect("settings");
        assert_eq!(secret.webhook, Some(Webhook::Secret(Secret { secret: "notify/webhook".into(), expires: None })));
    }

    #[test]
    fn one_clear_error_for_each_wrong_key() {
        for (text, line, want) in [
            ("[notify]\nwebhook = 5", 2, "invalid type"),
            ("[notify]\nwebhook = \"hooks.example.vn/T0K3N\"", 2, "no http or https address"),
            ("[notify]\nwebhook = \"ftp://hooks.example.vn/T0K3N\"", 2, "no http or https address"),
            ("[notify]\nwebhook = { secrets = \"T0K3N\" }", 2, "unknown field"),
            ("[notify]\nwebhook = {}", 2, "missing field"),
            ("[notify]\n\nbearer = { secret = \"notify/token\" }", 3, "has a bearer but no webhook"),
            ("[notify]\nwebhook = \"https://a.vn\"\nbearer = \"T0K3N\"", 3, "invalid type"),
            ("[notify]\ngroup_wait = 30", 2, "invalid type"),
            ("[notify]\nexpiry_warning = \"3 blue moons\"", 2, "is not a length of time"),
            ("[notify]\ntimeout = \"0s\"", 2, "is not a length of time"),
            ("[notify]\nresend = true", 2, "invalid type"),
            ("[notify]\nurl = \"https://a.vn\"", 2, "unknown field"),
            ("notify = true", 1, "invalid type"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.message.contains(want), "{text}: {problem}");
            assert_eq!(problem.line, line, "{text}: {problem}");
            assert!(!problem.fix.is_empty(), "{text}: {problem}");
        }
    }
}
