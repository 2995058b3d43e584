use super::super::picture_tests::rebuild;
use super::fax;
use super::page::Compression;
use model::Format::Tiff;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::encoder::{TiffEncoder, colortype::Gray8};

fn pages(count: u8) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out).unwrap();
    for n in 0..count {
        encoder.write_image::<Gray8>(5, 3, &[n; 15]).unwrap();
    }
    out.into_inner()
}

fn levels(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(std::io::Cursor::new(bytes)).unwrap();
    let mut levels = Vec::new();
    loop {
        let DecodingResult::U8(samples) = decoder.read_image().unwrap() else { panic!("8 bits") };
        levels.push(samples[7]);
        if !decoder.more_images() {
            return levels;
        }
        decoder.next_image().unwrap();
    }
}

#[test]
fn all_pages_are_rebuilt_in_their_order() {
    let out = rebuild(Tiff, &pages(4)).unwrap().0;
    assert_eq!(levels(&out), [0, 1, 2, 3]);
    assert_eq!(rebuild(Tiff, &out).unwrap().0, out, "fixed point");
}

#[test]
fn a_loop_of_directories_ends_where_it_closes() {
    let mut bytes = rebuild(Tiff, &pages(2)).unwrap().0;
    // Our own layout: the first directory is at 8; its link follows its entries.
    let entries = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let link = 10 + entries * 12;
    let second = u32::from_le_bytes(bytes[link..link + 4].try_into().unwrap()) as usize;
    let entries = usize::from(u16::from_le_bytes([bytes[second], bytes[second + 1]]));
    let link = second + 2 + entries * 12;
    bytes[link..link + 4].copy_from_slice(&8u32.to_le_bytes());
    assert_eq!(levels(&rebuild(Tiff, &bytes).unwrap().0), [0, 1]);
}

#[test]
fn fax_rows_decode_as_they_were_coded() {
    use ::fax::{Color, VecWriter, encoder::Encoder};
    let rows: [u16; 3] = [0b0000_1111_0000_1110, 0b0000_1111_1000_1110, 0xFFFF];
    let mut encoder = Encoder::new(VecWriter::new());
    for row in rows {
        let pels = (0..16).rev().map(|i| if row >> i & 1 == 1 { Color::Black } else { Color::White });
        encoder.encode_line(pels, 16).unwrap();
    }
    let data = encoder.finish().unwrap().finish();
    let out = fax::decode(&data, Compression::Fax4, 16, 3).unwrap();
    assert_eq!(out, rows.iter().flat_map(|r| r.to_be_bytes()).collect::<Vec<u8>>());
}
