//! `sallyport signatures update --source URL` against servers on this machine: good ones, broken ones and hostile ones.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking, and computes on values of its own"
)]

mod common;

use common::plant::{Plant, content, new_key, text};
use common::soak;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use signatures::bundle::{MOST_BUNDLE_BYTES, pack};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a server does once it has read a request.
#[derive(Clone)]
enum Reply {
    File(Vec<u8>),
    Status(u16),
    To(String),
    /// Says that it has so many bytes and sends none.
    Announced(u64),
    /// No length, and never an end.
    Endless,
    /// A byte now and then.
    Slow,
    Silent,
    Garbage,
    Cut(Vec<u8>),
}

type Replies = Arc<Mutex<Vec<(String, Reply)>>>;

/// A server of this test: every connection brings one request.
struct Server {
    scheme: &'static str,
    port: u16,
    replies: Replies,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (replies, asked) = (Replies::default(), Arc::new(Mutex::new(Vec::new())));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Self { scheme, port, replies: Arc::clone(&replies), asked: Arc::clone(&asked) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (replies, asked, tls) = (Arc::clone(&replies), Arc::clone(&asked), tls.clone());
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    // A client that hangs up or does not like our certificate is its own affair.
                    let _ = match tls {
                        None => serve(stream, &replies, &asked),
                        Some(tls) => {
                            let session = rustls::ServerConnection::new(tls).unwrap();
                            serve(rustls::StreamOwned::new(session, stream), &replies, &asked)
                        }
                    };
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.port)
    }

    fn put(&self, path: &str, reply: Reply) {
        self.replies.lock().unwrap().insert(0, (path.to_owned(), reply));
    }

    /// A bundle and its signature by `plant`'s key.
    fn offer(&self, plant: &Plant, path: &str, sequence: u64) {
        let (manifest, files) = content(sequence);
        let bytes = pack(&manifest, &files).unwrap();
        let signature = plant.key.sign(&bytes, &format!("channel:main sequence:{sequence}")).unwrap();
        self.put(path, Reply::File(bytes));
        self.put(&format!("{path}.minisig"), Reply::File(signature.into_bytes()));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn serve(stream: impl Read + Write, replies: &Replies, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first)?;
    let mut line = String::from("x");
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line)?;
    }
    let request = first.rsplit_once(' ').map_or("", |(request, _)| request).to_owned();
    asked.lock().unwrap().push(request.clone());
    let path = request.split_once(' ').map_or("", |(_, path)| path);
    let reply = replies.lock().unwrap().iter().find(|(known, _)| known == path).map(|(_, reply)| reply.clone());
    let out = stream.get_mut();
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{more}\r\n");
    match reply.unwrap_or(Reply::Status(404)) {
        Reply::File(bytes) => {
            out.write_all(head(200, &format!("Content-Length: {}\r\n", bytes.len())).as_bytes())?;
            out.write_all(&bytes)?;
        }
        Reply::Cut(bytes) => {
            out.write_all(head(200, &format!("Content-Length: {}\r\n", bytes.len())).as_bytes())?;
            out.write_all(&bytes[..bytes.len() / 2])?;
        }
        Reply::Status(status) => out.write_all(head(status, "Content-Length: 0\r\n").as_bytes())?,
        Reply::To(url) => out.write_all(head(302, &format!("Location: {url}\r\nContent-Length: 0\r\n")).as_bytes())?,
        Reply::Announced(size) => out.write_all(head(200, &format!("Content-Length: {size}\r\n")).as_bytes())?,
        Reply::Endless => {
            out.write_all(head(200, "").as_bytes())?;
            loop {
                out.write_all(&[b'x'; 64 * 1024])?;
            }
        }
        Reply::Slow => {
            out.write_all(head(200, "Content-Length: 100000\r\n").as_bytes())?;
            loop {
                out.write_all(b"x")?;
                out.flush()?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Reply::Silent => std::thread::sleep(Duration::from_secs(20)),
        Reply::Garbage => out.write_all(b"220 smtp.example ESMTP\r\n")?,
    }
    out.flush()
}

#[test]
fn a_station_takes_a_bundle_from_a_server_and_asks_for_it_once() {
    let (plant, server) = (Plant::new(), Server::start(None));
    server.offer(&plant, "/rules/plant.tar.zst", 1);
    server.put("/latest.tar.zst", Reply::To("/rules/plant.tar.zst".to_owned()));
    server.put("/latest.tar.zst.minisig", Reply::To(server.url("/rules/plant.tar.zst.minisig")));
    let url = server.url("/latest.tar.zst");
    let said = plant.ok(&["update", "--source", &url]);
    assert!(said.contains("number 1") && said.contains("in force"), "{said}");
    assert_eq!(plant.in_force(), [1]);
    server.asked();
    assert!(plant.ok(&["update", "--source", &url]).contains("nothing newer"));
    assert!(server.asked().iter().all(|asked| asked.ends_with(".minisig")), "the signature says it all");
    server.offer(&plant, "/rules/plant.tar.zst", 2);
    plant.ok(&["update", "--source", &url]);
    assert_eq!(plant.in_force(), [2]);
    assert!(std::fs::read_dir(plant.world.at(".cache/sallyport")).unwrap().next().is_none(), "nothing is left behind");
}

#[test]
fn two_signatures_are_found_by_the_ids_of_trusted_keys() {
    let (plant, server, second) = (Plant::new(), Server::start(None), new_key());
    plant.ok(&["trust", "add", &second.public().unwrap().to_base64()]);
    plant.ok(&["trust", "require", "2"]);
    server.offer(&plant, "/b.tar.zst", 1);
    let url = server.url("/b.tar.zst");
    assert!(plant.refused(&["update", "--source", &url]).contains("1 of the 2 signatures"));
    let (manifest, files) = content(1);
    let signature = second.sign(&pack(&manifest, &files).unwrap(), "test").unwrap();
    server.put(&format!("/b.tar.zst.{}.minisig", second.id()), Reply::File(signature.into_bytes()));
    plant.ok(&["update", "--source", &url]);
    assert_eq!(plant.in_force(), [1]);
}

#[test]
fn what_a_server_does_wrong_is_one_sentence_and_changes_nothing() {
    let (plant, server) = (Plant::new(), Server::start(None));
    plant.ok(&["import", &plant.bundle(1)]);
    server.offer(&plant, "/b.tar.zst", 2);
    let url = server.url("/b.tar.zst");
    let signature = server.replies.lock().unwrap()[0].1.clone();
    let (manifest, files) = content(2);
    let mut bytes = pack(&manifest, &files).unwrap();
    let whole = bytes.clone();
    bytes[40] ^= 1;
    let too_long = Reply::File(vec![b'a'; 1 << 20]);
    let foreign = Reply::File(new_key().sign(&whole, "test").unwrap().into_bytes());
    let cases = [
        ("", Reply::Status(404), "there is no http://localhost"),
        (".minisig", Reply::Status(404), "no signature"),
        (".minisig", too_long, "is no minisign signature"),
        (".minisig", foreign, "does not trust"),
        ("", Reply::Status(500), "status 500"),
        ("", Reply::Status(204), "status 204"),
        ("", Reply::File(bytes), "damaged or changed"),
        ("", Reply::Cut(whole), "broke off"),
        ("", Reply::Announced(MOST_BUNDLE_BYTES + 1), "a bundle has at most"),
        ("", Reply::Announced(100), "broke off"),
        ("", Reply::Slow, "broke off"),
        ("", Reply::Silent, "did not answer in time"),
        ("", Reply::Garbage, "cannot be fetched"),
        ("", Reply::To("/b.tar.zst".to_owned()), "leads on"),
        ("", Reply::To("ftp://localhost/b".to_owned()), "cannot be fetched"),
    ];
    for (ending, reply, says) in cases {
        let path = format!("/b.tar.zst{ending}");
        server.put(&path, reply);
        let began = Instant::now();
        let said = plant.refused(&["update", "--seconds", "2", "--source", &url]);
        assert!(said.contains(says), "{says}: {said}");
        assert!(began.elapsed() < Duration::from_secs(10), "{says}");
        server.replies.lock().unwrap().remove(0);
    }
    if soak() {
        server.put("/b.tar.zst", Reply::Endless);
        assert!(plant.refused(&["update", "--source", &url]).contains("a bundle has at most"));
    }
    server.put("/b.tar.zst.minisig", signature);
    assert_eq!(plant.in_force(), [1]);
}

#[test]
fn addresses_that_are_none_of_a_bundle_are_refused_before_anybody_is_asked() {
    let plant = Plant::new();
    for (url, says) in [
        ("ftp://localhost/b.tar.zst", "http:// and https://"),
        ("http://localhost/", "address of the bundle itself"),
        ("http://localhost", "address of the bundle itself"),
        ("http://localhost/b?x=1", "address of the bundle itself"),
        ("http://user:secret@localhost/b", "ends in logs"),
    ] {
        assert!(plant.refused(&["update", "--source", url]).contains(says), "{url}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = plant.refused(&["update", "--source", &format!("http://{nobody}/b.tar.zst")]);
    assert!(said.contains("cannot be fetched"), "{said}");
}

#[test]
fn a_proxy_of_the_environment_is_used_and_one_that_is_none_is_an_error() {
    let (plant, proxy) = (Plant::new(), Server::start(None));
    let ask = |variable: &str, value: &str| {
        let mut command = plant.command(&["update", "--source", "http://mirror.invalid/b.tar.zst"]);
        let output = command.env(variable, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    ask("http_proxy", &proxy.url(""));
    let asked = proxy.asked();
    assert!(asked.len() == 1 && asked[0].contains("mirror.invalid"), "{asked:?}");
    assert!(ask("HTTPS_PROXY", "::nonsense::").contains("HTTPS_PROXY is no address"));
}

/// A certificate authority of a plant, and a server's certificate for `name` by it.
fn authority(name: &str) -> (String, Arc<rustls::ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key).unwrap();
    (pem(ca.der()), Arc::new(config))
}

fn pem(der: &[u8]) -> String {
    use std::fmt::Write as _;
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for (n, three) in der.chunks(3).enumerate() {
        let word = three.iter().fold(0_usize, |word, b| (word << 8) | usize::from(*b)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let here = digit <= three.len();
            let char = if here { char::from(DIGITS[(word >> (18 - 6 * digit)) & 63]) } else { '=' };
            out.write_char(char).unwrap();
        }
        if n % 16 == 15 {
            out.push('\n');
        }
    }
    out.push_str("\n-----END CERTIFICATE-----\n");
    out
}

#[test]
fn https_counts_only_with_a_certificate_that_the_plant_trusts() {
    let plant = Plant::new();
    let (ca, config) = authority("localhost");
    let (other, wrong_name) = authority("elsewhere.example");
    let (ca_file, other_file) = (plant.world.at("ca.pem"), plant.world.at("other.pem"));
    std::fs::write(&ca_file, ca).unwrap();
    std::fs::write(&other_file, other).unwrap();
    let (ca_file, other_file) = (ca_file.to_str().unwrap(), other_file.to_str().unwrap());
    let (server, impostor, plain) = (Server::start(Some(config)), Server::start(Some(wrong_name)), Server::start(None));
    for server in [&server, &impostor, &plain] {
        server.offer(&plant, "/b.tar.zst", 1);
    }
    let url = server.url("/b.tar.zst");
    assert!(plant.refused(&["update", "--ca", other_file, "--source", &url]).contains("invalid peer certificate"));
    let said = plant.refused(&["update", "--ca", other_file, "--source", &impostor.url("/b.tar.zst")]);
    assert!(said.contains("elsewhere.example"), "{said}");
    let key = plant.world.at("maker.pub");
    assert!(plant.refused(&["update", "--ca", key.to_str().unwrap(), "--source", &url]).contains("no certificates"));
    assert!(plant.refused(&["update", "--ca", "/nowhere", "--source", &url]).contains("there is no /nowhere"));
    // Down to http nobody is led; up to https one may be.
    server.put("/down.tar.zst.minisig", Reply::To(plain.url("/b.tar.zst.minisig")));
    let down = server.url("/down.tar.zst");
    assert!(plant.refused(&["update", "--ca", ca_file, "--source", &down]).contains("from https to http"));
    assert_eq!(plain.asked(), Vec::<String>::new());
    plain.put("/up.tar.zst", Reply::To(url.clone()));
    plain.put("/up.tar.zst.minisig", Reply::To(format!("{url}.minisig")));
    let up = plain.url("/up.tar.zst");
    assert!(plant.refused(&["update", "--ca", other_file, "--source", &up]).contains("invalid peer certificate"));
    plant.ok(&["update", "--ca", ca_file, "--source", &up]);
    assert_eq!(plant.in_force(), [1]);
    server.offer(&plant, "/b.tar.zst", 2);
    plant.ok(&["update", "--ca", ca_file, "--source", &url]);
    assert_eq!(plant.in_force(), [2]);
}
