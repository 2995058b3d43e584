use super::super::picture_tests::rebuild;
use model::Format::Gif;

fn animation(interlaced: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = gif::Encoder::new(&mut out, 6, 5, &[0, 0, 0, 255, 0, 0, 0, 255, 0]).unwrap();
    encoder.set_repeat(gif::Repeat::Finite(3)).unwrap();
    for n in 0..3u8 {
        let buffer: Vec<u8> = (0..30).map(|i| (i + n) % 3).collect();
        let frame = gif::Frame {
            width: 6,
            height: 5,
            delay: 7,
            dispose: gif::DisposalMethod::Background,
            transparent: (n == 1).then_some(2),
            interlaced,
            buffer: buffer.into(),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    out
}

fn frames(bytes: &[u8]) -> Vec<(Vec<u8>, u16, Option<u8>, bool)> {
    let mut decoder = gif::DecodeOptions::new();
    decoder.set_color_output(gif::ColorOutput::Indexed);
    let mut decoder = decoder.read_info(bytes).unwrap();
    let mut frames = Vec::new();
    while let Some(f) = decoder.read_next_frame().unwrap() {
        frames.push((f.buffer.to_vec(), f.delay, f.transparent, f.interlaced));
    }
    frames
}

#[test]
fn every_frame_keeps_its_indices_and_its_control() {
    let bytes = animation(false);
    let out = rebuild(Gif, &bytes).unwrap().0;
    assert_eq!(frames(&out), frames(&bytes));
    assert!(out.windows(16).any(|w| w == b"NETSCAPE2.0\x03\x01\x03\0\0"));
    assert_eq!(rebuild(Gif, &out).unwrap().0, out, "fixed point");
}

#[test]
fn a_frame_beyond_the_canvas_makes_it_larger() {
    let mut bytes = animation(false);
    bytes[6..10].copy_from_slice(&[2, 0, 2, 0]);
    let out = rebuild(Gif, &bytes).unwrap().0;
    assert_eq!(out[6..10], [6, 0, 5, 0]);
}

#[test]
fn rows_of_an_interlaced_frame_are_put_in_order() {
    let mut bytes = animation(false);
    let plain = frames(&bytes)[0].0.clone();
    let image = bytes.iter().rposition(|&b| b == 0x2C).unwrap();
    let last = frames(&bytes)[2].0.clone();
    bytes[image + 9] |= 0x40;
    let out = rebuild(Gif, &bytes).unwrap().0;
    let got = frames(&out);
    assert_eq!(got[0].0, plain);
    // Passes of five rows: 0, 4, 2, 1, 3.
    for (from, to) in [0usize, 4, 2, 1, 3].into_iter().enumerate() {
        assert_eq!(got[2].0[to * 6..to * 6 + 6], last[from * 6..from * 6 + 6]);
    }
}
