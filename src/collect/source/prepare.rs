//! One request, filled from its scope.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::Failure;
use crate::collect::collector::{Auth, FormField, HttpSource, Method, Secret};
use crate::collect::template::{Escape, Filling, Unfilled};
use crate::model::Reason;
use crate::settings::Settings;

/// One request, filled and ready to be made.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// GET or POST.
    pub method: Method,
    /// The province's own address.
    pub url: String,
    /// The address that is really asked (`[rewrite]`).
    pub asked: url::Url,
    /// Headers without credentials.
    pub headers: HeaderMap,
    /// Never shown.
    pub(super) credentials: Credentials,
    /// Body as sent.
    pub body: String,
}

impl Prepared {
    /// A plain GET that says nothing of who asks.
    pub(super) fn get(url: String, asked: url::Url) -> Prepared {
        Prepared { method: Method::Get, url, asked, headers: HeaderMap::new(), credentials: Credentials::None, body: String::new() }
    }
}

/// Who we are, with the secret itself.
#[derive(Clone)]
pub(super) enum Credentials {
    None,
    Bearer(String),
    Basic(String, String),
    Header(HeaderName, HeaderValue),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Fills a collector's request for one scope.
///
/// # Errors
/// `Config`: a placeholder without a value, a secret that is not set, an address that is none.
pub fn prepare(source: &HttpSource, settings: &Settings, filling: &Filling) -> Result<Prepared, Failure> {
    let config = |text: String| Failure::new(Reason::Config, text);
    let unfilled = |error: Unfilled| config(error.to_string());
    let url = source.url.get_ref().fill(filling, Escape::Url).map_err(unfilled)?.unwrap_or_default();
    let asked = settings.rewritten(&url);
    let asked = url::Url::parse(&asked).map_err(|error| config(format!("{asked:?} is no address: {error}")))?;
    if !matches!(asked.scheme(), "http" | "https") || asked.host().is_none() {
        return Err(config(format!("{asked} is no http or https address")));
    }
    let mut headers = HeaderMap::new();
    for (name, template) in &source.headers {
        if let Some(value) = template.fill(filling, Escape::None).map_err(unfilled)? {
            insert(&mut headers, name, &value)?;
        }
    }
    let body = fill_body(source, filling, &mut headers)?;
    let credentials = source.auth.as_ref().map_or(Ok(Credentials::None), credentials)?;
    Ok(Prepared { method: source.method, url, asked, headers, credentials, body })
}

fn fill_body(source: &HttpSource, filling: &Filling, headers: &mut HeaderMap) -> Result<String, Failure> {
    let unfilled = |error: Unfilled| Failure::new(Reason::Config, error.to_string());
    if let Some(json) = &source.json {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        return Ok(json.fill(filling).map_err(unfilled)?.unwrap_or_default().to_string());
    }
    let Some(form) = &source.form else { return Ok(String::new()) };
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8"));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    for (name, field) in form {
        let value = match field {
            FormField::Text(template) => template.fill(filling, Escape::None).map_err(unfilled)?,
            FormField::Json(json) => json.fill(filling).map_err(unfilled)?.map(|json| json.to_string()),
        };
        if let Some(value) = value {
            body.append_pair(name, &value);
        }
    }
    Ok(body.finish())
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Failure> {
    headers.insert(header_name(name)?, header_value(name, value)?);
    Ok(())
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    HeaderName::try_from(name).map_err(|_| Failure::new(Reason::Config, format!("{name:?} is no header name")))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Failure> {
    let wrong = |_| Failure::new(Reason::Config, format!("the value of header {name} has characters that headers cannot hold"));
    HeaderValue::try_from(value).map_err(wrong)
}

fn credentials(auth: &Auth) -> Result<Credentials, Failure> {
    Ok(match auth {
        Auth::Bearer(token) => Credentials::Bearer(reveal(token)?),
        Auth::Basic { user, password } => Credentials::Basic(reveal(user)?, reveal(password)?),
        Auth::ApiKey { header, value } => Credentials::Header(header_name(header)?, header_value(header, &reveal(value)?)?),
    })
}

/// The secret's value: environment variable `THUOCDO_SECRET_NPSP_TOKEN` for `npsp/token`,
/// else the file of that name under `$CREDENTIALS_DIRECTORY` (systemd), `/` written as `_`.
///
/// # Errors
/// `Config`: it is not set; the text says where to set it.
pub fn reveal(secret: &Secret) -> Result<String, Failure> {
    let flat: String = secret.secret.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let variable = format!("THUOCDO_SECRET_{}", flat.to_ascii_uppercase());
    if let Ok(value) = std::env::var(&variable) {
        return Ok(value);
    }
    let from_file = std::env::var_os("CREDENTIALS_DIRECTORY")
        .and_then(|folder| std::fs::read_to_string(std::path::Path::new(&folder).join(&flat)).ok());
    from_file.map(|text| text.trim_end().to_owned()).ok_or_else(|| {
        Failure::new(
            Reason::Config,
            format!("the secret {:?} is not set: set {variable}, or give the file {flat} by systemd's LoadCredential", secret.secret),
        )
    })
}
