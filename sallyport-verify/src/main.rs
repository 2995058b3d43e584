//! `sallyport-verify`: for the other side of the door. It trusts keys, not the station, and writes nothing but the state
//! file that it is told to keep.
#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    sallyport_verify::run(&sallyport_verify::Arguments::parse())
}
