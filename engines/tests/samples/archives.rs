//! Samples of `archives.yar`.

use super::{CD_REST, Sample, sample};

const ZIP: &[u8] = b"PK\x03\x04\x14\0";
const RAR: &[u8] = b"Rar!\x1a\x07\x01\0";
/// System area of a disc image, up to its first descriptor.
const DISC: &[u8] = &[0; 0x8000];
const ONE_ENTRY: &[u8] = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0";

pub const SAMPLES: &[Sample] = &[
    sample(
        "Zip_Member_Double_Extension",
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x0f\0", CD_REST, b"invoice.pdf.exe"],
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x10\0", CD_REST, b"invoice.pdf.json"],
    ),
    sample(
        "Zip_Member_Name_Reads_Backwards",
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x0e\0", CD_REST, b"list\xe2\x80\xaefdp.exe"],
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x08\0", CD_REST, b"list.pdf"],
    ),
    sample(
        "Zip_Of_One_Script",
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x07\0", CD_REST, b"scan.js", ONE_ENTRY],
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x09\0", CD_REST, b"scan.json", ONE_ENTRY],
    ),
    sample(
        "Zip_Member_Disk_Image",
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x08\0", CD_REST, b"scan.iso"],
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x0c\0", CD_REST, b"iso-9001.pdf"],
    ),
    sample(
        "Zip_Member_Leaves_Folder",
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x0b\0", CD_REST, b"../../a.txt"],
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x0b\0", CD_REST, b"a../b...txt"],
    ),
    sample(
        "Zip_Member_Leaves_Folder",
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x0a\0", CD_REST, b"C:\\a\\b.txt"],
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x09\0", CD_REST, b"C/a/b.txt"],
    ),
    sample(
        "WinRAR_Folder_Name_Exploit",
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x17\0", CD_REST, b"list.pdf /list.pdf ", b".cmd"],
        &[ZIP, b"PK\x01\x02", &[0; 24], b"\x12\0", CD_REST, b"list.pdf /list.pdf"],
    ),
    sample(
        "Ace_Path_Exploit",
        &[b"\x31\0\x31\0\0\0\x90**AC", b"E**\x14\x14", &[0; 30], b"C:\\C:C:../AppData/a.", b"exe"],
        &[b"\x31\0\x31\0\0\0\x90**ACE**\x14\x14", &[0; 30], b"drawings\\pump.dwg"],
    ),
    sample("Rar_Member_Double_Extension", &[RAR, b"order.docx   .sc", b"r\0"], &[RAR, b"order.docx\0setup.exe\0"]),
    sample(
        "Disc_Image_With_Script",
        &[DISC, b"\x01CD001\x01\0", &[0; 64], b"\x0cREADME.L", b"NK;1"],
        &[DISC, b"\x01CD001\x01\0", &[0; 64], b"\x0cREADME.TXT;1"],
    ),
    sample(
        "Disc_Image_With_Script",
        &[DISC, b"\x02CD001\x01\0", &[0; 64], b"\x0a\0a\0.\0l", b"\0n\0k"],
        &[DISC, b"\x02CD001\x01\0", &[0; 64], b"\x0a\0a\0.\0l\0o\0g"],
    ),
    sample("Virtual_Disk", &[b"vhdx", b"file", &[0; 64]], &[b"vhdx files are not taken", &[0; 64]]),
    sample("Virtual_Disk", &[&[0; 600], b"conec", b"tix", &[0; 504]], &[&[0; 600], b"conectix", &[0; 100]]),
];
