use crate::testing::{accept, read, reject, torture};
use model::Format::Bmp;

/// A picture of 5 x 3 with `entries` colours.
fn picture(bits: u8, entries: u32) -> Vec<u8> {
    let v4 = bits == 32;
    let stride = (5 * usize::from(bits)).div_ceil(32) * 4;
    let header: u32 = if v4 { 108 } else { 40 };
    let offset = 14 + header + 4 * entries;
    let size = stride as u32 * 3;
    let mut out = b"BM".to_vec();
    let mut put = |numbers: &[u32]| out.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
    put(&[offset + size, 0, offset, header, 5, 3, 1 | u32::from(bits) << 16, if v4 { 3 } else { 0 }, size]);
    put(&[2835, 2835, entries, 0]);
    if v4 {
        put(&[0x00FF_0000, 0x0000_FF00, 0xFF, 0xFF00_0000, 0x7352_4742]);
        put(&[0; 12]);
    }
    put(&vec![0x0012_3456; entries as usize]);
    out.resize(out.len() + size as usize, 0);
    out
}

#[test]
fn every_kind_is_accepted_and_no_mutation_panics() {
    for (bits, entries) in [(1, 2), (1, 1), (4, 16), (4, 3), (8, 256), (8, 5), (24, 0), (32, 0)] {
        let good = picture(bits, entries);
        accept(&good, Bmp);
        if good.len() < 300 {
            torture(&good, Bmp);
        }
    }
}

#[test]
fn img_11_what_headers_can_hide() {
    let change = |bits: u8, at: usize, value: u8, why: &str| {
        let mut bytes = picture(bits, if bits > 8 { 0 } else { 2 });
        bytes[at] = value;
        reject(&bytes, Bmp, why);
    };
    change(24, 6, 1, "bfReserved");
    change(24, 10, 60, "gap");
    change(24, 14, 12, "header, bits");
    change(24, 14, 124, "header, bits");
    change(24, 21, 0x80, "positive");
    change(24, 25, 0x80, "positive");
    change(24, 26, 2, "biPlanes");
    change(24, 28, 16, "header, bits");
    change(8, 30, 1, "header, bits");
    change(4, 30, 2, "header, bits");
    change(24, 30, 4, "header, bits");
    change(24, 30, 5, "header, bits");
    change(24, 34, 47, "biSizeImage");
    change(24, 41, 0x80, "resolution");
    change(24, 46, 1, "biClrUsed");
    change(8, 46, 0, "biClrUsed");
    change(24, 50, 1, "biClrImportant");
    change(32, 55, 1, "masks");
    change(32, 70, b'L', "masks");
    change(32, 80, 1, "end points");
    change(8, 57, 1, "rgbReserved");
    let mut flood = picture(24, 0);
    flood[18..22].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0x7F]);
    reject(&flood, Bmp, "pixels");
    // A gap with all lengths right.
    let mut gap = picture(24, 0);
    gap.splice(54..54, *b"gap!");
    gap[2] += 4;
    gap[10] += 4;
    reject(&gap, Bmp, "gap");
    let mut tail = picture(24, 0);
    tail.push(7);
    tail[2] += 1;
    reject(&tail, Bmp, "after the pixels");
}

#[test]
fn rows_hold_pixels_and_zeros() {
    let with = |bits: u8, entries: u32, at: usize, value: u8| {
        let mut bytes = picture(bits, entries);
        let start = bytes.len() - (5 * usize::from(bits)).div_ceil(32) * 4 * 3;
        bytes[start + at] = value;
        read(&bytes, Bmp).is_ok()
    };
    assert!(with(8, 5, 4, 4) && !with(8, 5, 4, 5) && !with(8, 5, 5, 1) && !with(8, 256, 7, 1));
    assert!(with(4, 3, 0, 0x22) && !with(4, 3, 0, 0x23) && !with(4, 3, 0, 0x32) && !with(4, 16, 2, 0x01));
    assert!(with(1, 2, 0, 0xF8) && !with(1, 2, 0, 0xFC) && !with(1, 1, 0, 0x80));
    assert!(with(24, 0, 14, 9) && !with(24, 0, 15, 9) && with(32, 0, 19, 9));
}
