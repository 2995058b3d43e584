//! `update`: from a folder, or over HTTP. The only place where this program itself opens a connection, and only when a
//! person or their timer asks for it by an address. What comes is a stranger's until its signatures were checked: it is
//! taken with bounds into sealed memory and goes the way of every bundle.

use super::{act, tell, unread, workshop};
use signatures::keys::MOST_KEY_BYTES;
use signatures::store::{Refusal, Store, StoreError};
use signatures::trust::Untrusted;
use station::rules::{self, Mode, Offered, ReceiveError, Workshop};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy};

/// Where Debian and its kin keep the certificate authorities of the machine.
const MACHINE_CA: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Ours: a file of certificates; the public ones of all the world are 220 KB.
const MOST_CA_BYTES: u64 = 4 << 20;
/// Ours: a server that says nothing for so long is not coming back.
const SILENCE: Duration = Duration::from_secs(30);
/// Ours: to the mirror's own name, to the newest bundle, and one more.
const MOST_REDIRECTS: u32 = 3;
/// Where a proxy is named, as every tool reads them.
const PROXY_VARIABLES: [&str; 6] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/// Where from.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A folder (its newest bundle is taken), a file:// URL of one, or the http(s):// address of a bundle, whose
    /// .minisig is beside it [default: `incoming` in the store].
    #[arg(long, value_name = "DIR|URL")]
    source: Option<String>,
    /// For https: trust these certificate authorities (PEM) and no others [default: those of the machine].
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// For http(s): how long all of it may take.
    #[arg(long, value_name = "N", default_value_t = 900, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
}

/// Takes in what is newer than what there is.
pub fn update(arguments: &Arguments, dir: &Path) -> Result<u8, StoreError> {
    let store = Store::open(dir)?;
    let (imported, place) = match arguments.source.as_deref() {
        Some(url) if url.contains("://") && !url.starts_with("file://") => {
            (remote(arguments, url, &store)?, url.into())
        }
        source => {
            let folder = source.map_or_else(|| store.incoming(), folder_of);
            (rules::update(&store, &workshop()?, &folder, &act())?, folder.display().to_string())
        }
    };
    match imported {
        Some(imported) => tell(&imported),
        None => println!("nothing newer in {place}"),
    }
    Ok(0)
}

fn folder_of(source: &str) -> PathBuf {
    let path = source.strip_prefix("file://").map(|path| path.strip_prefix("localhost").unwrap_or(path));
    PathBuf::from(path.unwrap_or(source))
}

/// The signatures come first: they are small, and mostly say that there is nothing new.
fn remote(arguments: &Arguments, url: &str, store: &Store) -> Result<Option<rules::Imported>, StoreError> {
    let server = Server::new(arguments, url)?;
    let signatures = server.signatures(store)?;
    let hint = signatures.first().and_then(|(_, text)| rules::sequence_hint(text));
    if !rules::is_news(store, hint)? {
        return Ok(None);
    }
    let workshop = workshop()?;
    let offered = Offered { name: url.to_owned(), bundle: server.bundle(&workshop)?, signatures };
    rules::import(store, &workshop, &offered, &act(), Mode::Activate).map(Some)
}

/// A server that has a bundle.
struct Server<'a> {
    url: &'a str,
    agent: Agent,
}

impl<'a> Server<'a> {
    fn new(arguments: &Arguments, url: &'a str) -> Result<Self, StoreError> {
        let secure = address(url)?;
        for variable in PROXY_VARIABLES {
            // An address that is none would else be as if there were no proxy.
            if std::env::var(variable).is_ok_and(|proxy| !proxy.is_empty() && Proxy::new(&proxy).is_err()) {
                return Err(StoreError::Usage(format!(
                    "{variable} is no address of an HTTP proxy; correct or unset it"
                )));
            }
        }
        let all = Duration::from_secs(u64::from(arguments.seconds));
        let silence = Some(SILENCE.min(all));
        let config = Agent::config_builder()
            .timeout_global(Some(all))
            .timeout_connect(silence)
            .timeout_per_read(silence)
            .timeout_per_write(silence)
            .timeout_recv_response(silence)
            // From https nothing leads back to http; from http it may lead to either.
            .https_only(secure)
            .max_redirects(MOST_REDIRECTS)
            .http_status_as_error(false)
            .user_agent(concat!("sallyport/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls(arguments.ca.as_deref(), secure)?)
            .build();
        Ok(Self { url, agent: config.new_agent() })
    }

    /// What is at `url`; none where the server says that there is nothing.
    fn get(&self, url: &str) -> Result<Option<Body>, StoreError> {
        let response = self.agent.get(url).call().map_err(|error| unreachable(url, &error))?;
        match response.status().as_u16() {
            200 => Ok(Some(response.into_body())),
            404 | 410 => Ok(None),
            status => Err(StoreError::Usage(format!(
                "{url}: the server answered with status {status}; is the address right, and may this station read it?"
            ))),
        }
    }

    /// `URL.minisig`, and where several must have signed, `URL.ID.minisig` of the keys that are trusted.
    fn signatures(&self, store: &Store) -> Result<Vec<(String, String)>, StoreError> {
        let trust = store.trust()?;
        let several = trust.keys.iter().filter(|_| trust.required > 1).map(|key| format!(".{}.minisig", key.id));
        let mut found = Vec::new();
        for ending in std::iter::once(".minisig".to_owned()).chain(several) {
            let url = format!("{}{ending}", self.url);
            let Some(mut body) = self.get(&url)? else { continue };
            let mut text = Vec::new();
            let mut some = body.as_reader().take(MOST_KEY_BYTES.saturating_add(1));
            some.read_to_end(&mut text).map_err(|error| broken_off(&url, &error))?;
            found.push((url, String::from_utf8_lossy(&text).into_owned()));
        }
        if found.is_empty() {
            return Err(StoreError::refused(self.url, Refusal::Untrusted(Untrusted::NoSignature)));
        }
        Ok(found)
    }

    fn bundle(&self, workshop: &Workshop) -> Result<jail::Sealed, StoreError> {
        let missing = || StoreError::Usage(format!("there is no {}; check the address", self.url));
        let mut body = self.get(self.url)?.ok_or_else(missing)?;
        let announced = body.content_length().unwrap_or(0);
        match workshop.receive(&mut body.as_reader(), announced) {
            Ok(taken) => taken.map_err(|why| StoreError::refused(self.url, why)),
            Err(ReceiveError::Source(error)) => Err(broken_off(self.url, &error)),
            Err(ReceiveError::Station(error)) => Err(error),
        }
    }
}

/// Whether an address is one of https.
fn address(url: &str) -> Result<bool, StoreError> {
    let wrong = |what: &str| Err(StoreError::Usage(format!("{url}: {what}")));
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return wrong("this program knows folders, file://, http:// and https://"),
    };
    if rest.split('/').next().is_some_and(|host| host.contains('@')) {
        return wrong("a password in an address ends in logs; put the bundle where none is needed, it is signed");
    }
    if rest.contains(['?', '#']) || rest.ends_with('/') || !rest.contains('/') {
        return wrong("give the address of the bundle itself, like https://HOST/plant.tar.zst");
    }
    Ok(secure)
}

/// Certificate authorities are read only where they are needed.
fn tls(ca: Option<&Path>, secure: bool) -> Result<TlsConfig, StoreError> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let path = ca.map(Path::to_owned).or(named).unwrap_or_else(|| MACHINE_CA.into());
    let certificates = match std::fs::File::open(&path) {
        // An address of http may lead to one of https; without authorities that is refused there.
        Err(_) if ca.is_none() && !secure => Vec::new(),
        opened => certificates(&path, opened.map_err(unread(&path))?)?,
    };
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCerts::Specific(Arc::new(certificates));
    Ok(TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(ring).build())
}

fn certificates(path: &Path, file: std::fs::File) -> Result<Vec<Certificate<'static>>, StoreError> {
    let mut pem = Vec::new();
    file.take(MOST_CA_BYTES).read_to_end(&mut pem).map_err(unread(path))?;
    let found: Result<Vec<PemItem<'static>>, ureq::Error> = parse_pem(&pem).collect();
    let certificates: Vec<_> = found
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None })
        .collect();
    if certificates.is_empty() {
        return Err(StoreError::Usage(format!("{} holds no certificates in PEM; check the file", path.display())));
    }
    Ok(certificates)
}

/// Nothing was changed on the way to any of these, and the next try may well succeed.
fn unreachable(url: &str, error: &ureq::Error) -> StoreError {
    let what = if matches!(error, ureq::Error::RequireHttpsOnly(_)) {
        "the server leads from https to http, which is not followed".to_owned()
    } else if matches!(error, ureq::Error::TooManyRedirects) {
        format!("the server leads on more than {MOST_REDIRECTS} times")
    } else if matches!(error, ureq::Error::Timeout(_)) {
        "the server did not answer in time".to_owned()
    } else if matches!(error, ureq::Error::HostNotFound) {
        "there is no such host".to_owned()
    } else {
        // The cause in the words of the TLS library: an unknown issuer, a wrong name, a day that is over.
        error.to_string()
    };
    StoreError::Usage(format!("{url} cannot be fetched: {what}; check the address, the network and --ca"))
}

fn broken_off(url: &str, error: &std::io::Error) -> StoreError {
    StoreError::Usage(format!("{url} broke off: {error}; try again, with more --seconds on a slow line"))
}
