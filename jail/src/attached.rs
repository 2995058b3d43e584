//! A program of the system that runs beside the station and is spoken to over its standard streams: `ssh`, to reach an
//! outbound share. It is no jail: it has a network, and the rights of the station's user. It sees only what is released.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

use rustix::fs::OFlags;

/// Bytes of complaints that are kept: some lines.
const COMPLAINTS: usize = 4096;

/// The running program. It ends with this value, or by itself when the station's end closes its streams.
#[derive(Debug)]
pub struct Attached {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    complaints: ChildStderr,
}

impl Attached {
    /// Starts the program at `path` with an empty environment. Our ends of its streams don't block.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(path: &Path, args: &[String]) -> io::Result<Self> {
        let mut command = command(path);
        command.args(args).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = crate::launch::spawn(command)?;
        let missing = || io::Error::other("a stream is missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let complaints = child.stderr.take().ok_or_else(missing)?;
        for fd in [input.as_fd(), output.as_fd(), complaints.as_fd()] {
            rustix::fs::fcntl_setfl(fd, OFlags::NONBLOCK)?;
        }
        Ok(Self { child, input, output, complaints })
    }

    /// Where it reads from.
    #[must_use]
    pub fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    /// Where it writes to.
    #[must_use]
    pub fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// The last two lines that it complained in since the last call, tamed; banners are left out.
    pub fn complaints(&mut self) -> String {
        let mut bytes = vec![0; COMPLAINTS];
        let read = self.complaints.read(&mut bytes).unwrap_or(0);
        let said = bytes.get(..read).unwrap_or_default().split(|byte| matches!(byte, b'\n' | b'\r'));
        let lines: Vec<&[u8]> = said.filter(|line| !line.is_empty() && !line.starts_with(b"@@@")).collect();
        let last = lines.get(lines.len().saturating_sub(2)..).unwrap_or_default();
        last.iter().map(|line| crate::failure::tame(line)).collect::<Vec<_>>().join("; ")
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "programs are started by this crate only, and this is where this kind is"
)]
fn command(path: &Path) -> Command {
    Command::new(path)
}
