// Documents of the office families: objects, links and fields that run something. What reconstruction drops is
// suspicious; malicious is kept for what is nothing but a known exploit.

rule Equation_Editor_Object
{
    meta:
        description = "Object of the retired Equation Editor 3.0"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "OLE-07"
        attack = "T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // {0002CE02-0000-0000-C000-000000000046} as bytes, and as the hexadecimal digits of an RTF.
        $clsid = { 02 CE 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $clsid_hex = "02ce020000000000c000000000000046" nocase
        $prog_id = /\bEquation\.3\b/ nocase
        // "Equation.3" in the hexadecimal digits of an RTF's \objdata.
        $prog_id_hex = "4571756174696f6e2e33" nocase
    condition:
        any of them
}

rule Equation_Editor_Exploit
{
    meta:
        description = "FONT record that overruns the Equation Editor's buffer into WinExec (CVE-2017-11882)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "OLE-07"
        attack = "T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // Line record, FONT record whose name has no end within 32 bytes, return address 0x00430C12.
        $raw = { 0A 01 08 ?? ?? [36-48] 12 0C 43 00 }
        $hex = /0a0108[0-9a-f]{4}([0-9a-f]{2}){36,48}120c4300/ nocase
    condition:
        $raw or $hex
}

rule OLE_Package_With_Program
{
    meta:
        description = "Packager object that holds a program or a script"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "OLE-05"
        attack = "T1027.009,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $stream = "\x01Ole10Native" wide
        $program = /[\w \-)\]]\.(exe|scr|com|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|lnk|cpl|msi|jar|chm|url)\x00/ nocase
    condition:
        // The stream itself starts with its length and the type 2.
        ($stream or (uint32(0) < filesize and uint32(0) > 16 and uint16(4) == 2)) and $program
}

rule DDE_Runs_Command
{
    meta:
        description = "DDE field or formula that starts a command"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "OOX-13"
        attack = "T1559.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $formula = /[=+@-][ \t]{0,8}(cmd|powershell|pwsh|msexcel|mshta|rundll32|regsvr32|certutil|wscript|cscript)(\.exe)?[ \t]{0,8}\|[ \t]{0,8}'[^'\r\n]{1,400}'[ \t]{0,8}!/ ascii wide nocase
        $field = /\bDDE(AUTO)?\b[^{}]{0,200}\b(cmd|powershell|pwsh|mshta|rundll32|regsvr32|certutil|wscript|cscript)\b/ ascii wide nocase
        $link = /<ddeLink[^>]{0,200}ddeService="(cmd|powershell|pwsh|mshta|rundll32|regsvr32|certutil|wscript|cscript)/ nocase
    condition:
        any of them
}

rule Remote_Template
{
    meta:
        description = "Document that loads its template from elsewhere"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "OOX-08"
        attack = "T1221,T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $type_first = /<Relationship\s[^>]{0,400}\/attachedTemplate["'][^>]{0,400}Target=["'](https?:|file:\/\/[^\/]|\\\\)/ nocase
        $target_first = /<Relationship\s[^>]{0,400}Target=["'](https?:|file:\/\/[^\/]|\\\\)[^>]{0,400}\/attachedTemplate["']/ nocase
        $rtf = /\{\\\*\\template[ \t\r\n]{1,8}(https?:|ftp:|\\\\\\\\)/ nocase
    condition:
        any of them
}

rule Remote_OLE_Object
{
    meta:
        description = "Document that loads an OLE object from elsewhere"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "OOX-09"
        attack = "T1187,T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $type_first = /<Relationship\s[^>]{0,400}\/oleObject["'][^>]{0,400}Target=["'](https?:|mhtml:|\\\\)/ nocase
        $target_first = /<Relationship\s[^>]{0,400}Target=["'](https?:|mhtml:|\\\\)[^>]{0,400}\/oleObject["']/ nocase
    condition:
        any of them
}

rule Support_Tool_URL_Exploit
{
    meta:
        description = "ms-msdt: address that has the diagnostic tool run a script (CVE-2022-30190)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "GEN-20"
        attack = "T1203,T1221"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $scheme = /ms-msdt:[\/ ]/ ascii wide nocase
        $browse = /IT_(Re)?BrowseForFile[ \t]{0,8}=/ ascii wide nocase
        $run = /\$\(|Invoke-Expression|\biex\b|mpsigstub/ ascii wide nocase
    condition:
        $scheme and $browse and $run
}

rule Mshtml_Cabinet_Exploit
{
    meta:
        description = "mhtml: address with an x-usc part, which only the MSHTML exploit uses (CVE-2021-40444)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "OOX-09"
        attack = "T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $url = /mhtml:(https?|file):[^"'<>\r\n]{1,400}!x-usc:/ ascii wide nocase
    condition:
        $url
}

rule RTF_Object_Updates_Itself
{
    meta:
        description = "RTF object that is loaded when the document opens"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "RTF-01"
        attack = "T1203,T1559.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $data = "\\objdata"
        $update = "\\objupdate"
    condition:
        uint32be(0) == 0x7B5C7274 and $data and $update
}

rule RTF_URL_Moniker_Exploit
{
    meta:
        description = "RTF that links an object through a URL moniker and loads it at once (CVE-2017-0199)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "OLE-06"
        attack = "T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $update = "\\objupdate"
        $link = "\\objautlink"
        // {79EAC9E0-BAF9-11CE-8C82-00AA004BA90B} in hexadecimal digits, and "http" in UTF-16 after it.
        $moniker = /e0c9ea79f9bace118c8200aa004ba90b[0-9a-f\s]{0,200}68\s{0,2}00\s{0,2}74\s{0,2}00\s{0,2}74\s{0,2}00\s{0,2}70/ nocase
    condition:
        uint32be(0) == 0x7B5C7274 and $update and $link and $moniker
}
