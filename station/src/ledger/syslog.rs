//! Checkpoints to a syslog collector (RFC 5424): a place outside the station, so that whoever owns the station later
//! cannot rewrite its journal unseen.

use evidence::{Checkpoint, time};
use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// Ours: a collector that takes longer holds nobody's session up; the next checkpoint says what this one says.
const PATIENCE: Duration = Duration::from_secs(3);
/// Facility 13 (log audit), severity 5 (notice), RFC 5424, 6.2.1.
const PRIORITY: u8 = 13 * 8 + 5;
/// The number that RFC 5612 keeps for texts like this one: the project has none of its own.
const DATA_ID: &str = "sallyport@32473";

/// Where checkpoints go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collector {
    /// `udp://HOST:PORT`: a datagram a message (RFC 5426).
    Udp(String),
    /// `tcp://HOST:PORT`: octet counting (RFC 6587, 3.4.1).
    Tcp(String),
    /// `unix:///dev/log`: the machine's own.
    Unix(PathBuf),
}

impl std::str::FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("{text:?} is no collector; write udp://HOST:PORT, tcp://HOST:PORT or unix:///dev/log");
        let (scheme, rest) = text.split_once("://").ok_or_else(refuse)?;
        let port = rest.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        match (scheme, port) {
            ("udp", true) => Ok(Self::Udp(rest.to_owned())),
            ("tcp", true) => Ok(Self::Tcp(rest.to_owned())),
            ("unix", _) if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            (_, true | false) => Err(refuse()),
        }
    }
}

impl Collector {
    /// Sends a checkpoint. Over UDP and to the machine's own log nobody says whether it came.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&self, checkpoint: &Checkpoint, note: &str) -> std::io::Result<()> {
        let message = message(checkpoint, note);
        match self {
            Self::Udp(address) => {
                let address = resolve(address)?;
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                UdpSocket::bind(any)?.send_to(message.as_bytes(), address).map(drop)
            }
            Self::Tcp(address) => {
                let mut stream = TcpStream::connect_timeout(&resolve(address)?, PATIENCE)?;
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.write_all(format!("{} {message}", message.len()).as_bytes())?;
                stream.shutdown(std::net::Shutdown::Write)
            }
            Self::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.set_write_timeout(Some(PATIENCE))?;
                socket.send_to(message.as_bytes(), path).map(drop)
            }
        }
    }
}

fn resolve(address: &str) -> std::io::Result<std::net::SocketAddr> {
    let mut found = address.to_socket_addrs()?;
    found.next().ok_or_else(|| std::io::Error::other(format!("{address} has no address")))
}

/// Header, structured data and, as the text, the whole signed note in one line: its lines joined by `|`.
fn message(checkpoint: &Checkpoint, note: &str) -> String {
    let root: String = checkpoint.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let time = time::parse(&checkpoint.time).map_or_else(|| "-".to_owned(), time::format);
    let text = note.trim_end().replace('\n', "|");
    let (origin, size) = (&checkpoint.origin, checkpoint.size);
    format!(
        "<{PRIORITY}>1 {time} {origin} sallyport - checkpoint [{DATA_ID} size=\"{size}\" root=\"{root}\"] \u{feff}{text}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn checkpoint() -> (Checkpoint, String) {
        let time = "2026-11-24T02:00:00Z".to_owned();
        let checkpoint = Checkpoint { origin: "gate-3".into(), size: 17, root: [0xab; 32], time };
        let note = checkpoint.sign(&evidence::StationKey::from_seed(&[1; 32]));
        (checkpoint, note)
    }

    fn is_right(message: &str) {
        assert!(
            message
                .starts_with("<109>1 2026-11-24T02:00:00Z gate-3 sallyport - checkpoint [sallyport@32473 size=\"17\"")
        );
        let note = message.split_once('\u{feff}').unwrap().1.replace('|', "\n") + "\n";
        let key = evidence::StationKey::from_seed(&[1; 32]).public();
        assert_eq!(Checkpoint::open(&note, &key).unwrap(), checkpoint().0, "the note can be had back");
    }

    #[test]
    fn each_kind_of_collector_gets_the_whole_note() {
        let (checkpoint, note) = checkpoint();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to: Collector = format!("udp://{}", udp.local_addr().unwrap()).parse().unwrap();
        to.send(&checkpoint, &note).unwrap();
        let mut block = [0; 2048];
        let n = udp.recv(&mut block).unwrap();
        is_right(std::str::from_utf8(&block[..n]).unwrap());

        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to: Collector = format!("tcp://{}", tcp.local_addr().unwrap()).parse().unwrap();
        to.send(&checkpoint, &note).unwrap();
        let mut text = String::new();
        tcp.accept().unwrap().0.read_to_string(&mut text).unwrap();
        let (length, message) = text.split_once(' ').unwrap();
        assert_eq!(length.parse(), Ok(message.len()));
        is_right(message);

        let dir = tempfile::tempdir().unwrap();
        let unix = UnixDatagram::bind(dir.path().join("log")).unwrap();
        Collector::Unix(dir.path().join("log")).send(&checkpoint, &note).unwrap();
        let n = unix.recv(&mut block).unwrap();
        is_right(std::str::from_utf8(&block[..n]).unwrap());
    }

    #[test]
    fn what_is_no_collector_is_refused_and_one_that_is_away_says_so() {
        for text in
            ["", "udp://", "udp://host", "host:514", "http://host:80", "tcp://:601", "tcp://h:99999", "unix://log"]
        {
            assert!(text.parse::<Collector>().is_err(), "{text}");
        }
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (checkpoint, note) = checkpoint();
        assert!(Collector::Tcp(gone.to_string()).send(&checkpoint, &note).is_err());
    }
}
