//! What a person with tools would find in a file: its bytes, and what lies packed or written in hexadecimal in them.

use crate::Rebuilt;
use model::Format;
use std::io::{Cursor, Read};

/// Whether some layer of the file holds `mark`; any file holds the empty one.
pub(super) fn hold(made: &Rebuilt, mark: &[u8]) -> bool {
    let mut layers = vec![made.bytes.clone()];
    if made.format == Format::Zip || made.format.is_ooxml() {
        layers.extend(members(&made.bytes));
    }
    if made.format == Format::Pdf {
        layers.extend(streams(&made.bytes));
        let strings: Vec<Vec<u8>> = layers.iter().map(|layer| strings(layer)).collect();
        layers.extend(strings);
    }
    mark.is_empty() || layers.iter().any(|layer| memchr::memmem::find(layer, mark).is_some())
}

fn members(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut data = [b"\n", file.name_raw(), b"\n"].concat();
        file.read_to_end(&mut data).unwrap();
        out.push(data);
    }
    out
}

fn streams(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts = memchr::memmem::find_iter(bytes, b"\nstream\n").map(|at| at + 8);
    starts
        .map(|at| {
            let mut data = Vec::new();
            // What is no zlib stream is in the bytes as it is.
            let _ = flate2::read::ZlibDecoder::new(&bytes[at..]).read_to_end(&mut data);
            data
        })
        .collect()
}

/// The bytes of all hexadecimal strings.
fn strings(layer: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in layer.split(|b| *b == b'<').skip(1) {
        let digits = piece.iter().take_while(|b| b.is_ascii_hexdigit()).copied().collect::<Vec<u8>>();
        out.push(b'\n');
        out.extend(
            digits.chunks_exact(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()),
        );
    }
    out
}
