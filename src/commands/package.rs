//! `sallyport pack` and `sallyport unpack`: a session as one file, for a data diode, a stick or a mail.

use sallyport_verify::trusted;
use std::path::PathBuf;
use std::process::ExitCode;

/// Put the files of one session into one file, its manifest first.
#[derive(Debug, clap::Args)]
pub struct Pack {
    /// The share.
    share: PathBuf,
    /// The session's manifest folder below the share, as `sallyport clean` names it.
    #[arg(long, value_name = "FOLDER")]
    manifest: String,
    /// Whom to trust: the station's public key in PEM, or a file of allowed signers.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The package to write; by custom its name ends in `.sallyport`.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Check a package and publish its files below a share.
#[derive(Debug, clap::Args)]
pub struct Unpack {
    /// The package.
    package: PathBuf,
    /// Whom to trust: the station's public key in PEM, or a file of allowed signers.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The share to publish below.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Packs; exit status 0, or 2 where the session is refused.
pub fn pack(arguments: &Pack) -> ExitCode {
    let packed = trusted(&arguments.trust).and_then(|keys| {
        sallyport_verify::pack(&arguments.share, &arguments.manifest, &keys, &arguments.output)
            .map_err(|error| error.to_string())
    });
    said(packed.map(|release| format!("{} files packed into {}", release.files.len(), arguments.output.display())))
}

/// Unpacks; exit status 0, or 2 where the package is refused.
pub fn unpack(arguments: &Unpack) -> ExitCode {
    let unpacked = trusted(&arguments.trust).and_then(|keys| {
        sallyport_verify::unpack(&arguments.package, &keys, &arguments.to).map_err(|error| error.to_string())
    });
    said(unpacked.map(|release| format!("{} files published below {}", release.files.len(), arguments.to.display())))
}

fn said(done: Result<String, String>) -> ExitCode {
    match done {
        Ok(words) => {
            println!("{words}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            tell!("sallyport: {message}");
            ExitCode::from(2)
        }
    }
}
