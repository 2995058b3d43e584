//! Samples of `packers.yar`.

use super::{CD_REST, Sample, sample};

const MZ: &[u8] = b"MZ\x90\0";
/// DOS header, PE header at 0x40 with one section, 32 bytes of optional header and the entry point at 0x1000.
const PE_HEAD: &[u8] = &{
    let mut head = [0; 120];
    head[0] = b'M';
    head[1] = b'Z';
    head[0x3C] = 0x40;
    head[0x40] = b'P';
    head[0x41] = b'E';
    head[0x44] = 0x4C;
    head[0x45] = 1;
    head[0x46] = 1;
    head[0x54] = 0x20;
    head[0x69] = 0x10;
    head
};

pub const SAMPLES: &[Sample] = &[
    sample("Packed_With_UPX", &[MZ, b"UPX", b"0\0\0\0\0", ZERO], &[MZ, b"UPX0 is a name", ZERO]),
    sample(
        "Packed_With_UPX",
        &[b"\x7fELF\x02\x01\x01\0", &[0; 200], b"UP", b"X!\x0c\x0e"],
        &[b"\x7fELF\x02\x01\x01\0", &[0; 200], b"UPX! "],
    ),
    sample("Packed_Or_Protected_Program", &[MZ, b".MPRE", b"SS1\0", ZERO], &[MZ, b".text\0\0\0", ZERO]),
    sample(
        "Program_Code_Looks_Random",
        &[PE_HEAD, b".text\0\0\0\0\x10\0\0\0\x10\0\0", b"\0\x10\0\0\xa0\0\0\0", &[0; 12], b"\x20\0\0\x60", &EVERY_BYTE],
        &[
            PE_HEAD,
            b".text\0\0\0\0\x10\0\0\0\x10\0\0",
            b"\0\x10\0\0\xa0\0\0\0",
            &[0; 12],
            b"\x20\0\0\x60",
            &[0x90; 4096],
        ],
    ),
    sample(
        "Program_Rewrites_Its_Code",
        &[PE_HEAD, b".text\0\0\0\0\x10\0\0\0\x10\0\0", b"\0\x02\0\0\0\x02\0\0", &[0; 12], b"\x20\0\0\xe0"],
        &[PE_HEAD, b".text\0\0\0\0\x10\0\0\0\x10\0\0", b"\0\x02\0\0\0\x02\0\0", &[0; 12], b"\x20\0\0\x60"],
    ),
    sample("Script_In_Program", &[MZ, ZERO, b"MEI\x0c\x0b", b"\x0a\x0b\x0e"], &[MZ, ZERO, b"MEI\x0c"]),
    sample("Self_Extracting_Program", &[MZ, ZERO, b";!@Inst", b"all@!UTF-8!"], &[MZ, ZERO, b"install UTF-8"]),
    sample("Bytecode_Program", &[b"\xca\xfe\xba\xbe\0\0\0\x34"], &[b"\xca\xfe\xba\xbe\0\0\0\x02"]),
    sample(
        "Java_Archive",
        &[
            b"PK\x03\x04PK\x01\x02",
            &[0; 24],
            b"\x14\0",
            CD_REST,
            b"META-INF/MANIFEST.MF",
            b"PK\x01\x02",
            &[0; 24],
            b"\x07\0",
            CD_REST,
            b"A.class",
        ],
        &[
            b"PK\x03\x04PK\x01\x02",
            &[0; 24],
            b"\x14\0",
            CD_REST,
            b"META-INF/MANIFEST.MF",
            b"PK\x01\x02",
            &[0; 24],
            b"\x0b\0",
            CD_REST,
            b"A.class.txt",
        ],
    ),
];

const ZERO: &[u8] = &[0; 16];

/// Each value of a byte equally often: as random as entropy can tell.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
const EVERY_BYTE: [u8; 4096] = {
    let mut bytes = [0; 4096];
    let (mut at, mut value) = (0usize, 0u8);
    while at < bytes.len() {
        bytes[at] = value;
        value = value.wrapping_add(1);
        at = at.saturating_add(1);
    }
    bytes
};
