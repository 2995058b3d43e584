// Pages and PDFs that carry code.

rule HTML_Smuggling
{
    meta:
        description = "Page that assembles a file in the browser and saves it by itself"
        severity = "suspicious"
        vector = "HTM-01"
        attack = "T1027.006"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
    strings:
        $blob = /new[ \t]{1,8}Blob[ \t]{0,8}\(/ nocase
        $decode = /\batob[ \t]{0,8}\(|\bUint8Array\b|fromCharCode/ nocase
        $save = /\bmsSaveOrOpenBlob\b|\bmsSaveBlob\b/ nocase
        $url = "createObjectURL" nocase
        $download = /\.download[ \t]{0,8}=|setAttribute[ \t]{0,8}\([ \t]{0,8}['"]download/ nocase
        $click = /\.click[ \t]{0,8}\([ \t]{0,8}\)|dispatchEvent/ nocase
    condition:
        $blob and $decode and ($save or ($url and $download and $click))
}

rule HTML_Application
{
    meta:
        description = "HTML application (.hta): a page with the rights of a program"
        severity = "suspicious"
        vector = "HTM-05"
        attack = "T1218.005"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
    strings:
        $tag = /<hta:application\b/ ascii wide nocase
    condition:
        $tag
}

rule PDF_Launches_Program
{
    meta:
        description = "PDF action that starts a program or a script"
        severity = "suspicious"
        vector = "PDF-22"
        attack = "T1204.002,T1202"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
    strings:
        $launch = /\/S\s{0,16}\/Launch\b/
        $command = /\/(F|P|UF)\s{0,16}\([^)]{0,300}\b(cmd|powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|[\w-]{1,60}\.(exe|bat|cmd|vbs|js|hta|ps1|scr|lnk))\b/ nocase
    condition:
        $launch and $command
}

rule JavaScript_Heap_Spray
{
    meta:
        description = "JavaScript that fills memory with a sled of %u escapes"
        severity = "suspicious"
        vector = "PDF-21"
        attack = "T1059.007,T1203"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
    strings:
        $unescape = "unescape" nocase
        $sled = /%u(9090|0c0c|0a0a|0d0d|0b0b|4141)(%u(9090|0c0c|0a0a|0d0d|0b0b|4141)|["'][ \t]{0,8}\))/ nocase
        $grow = /\b(while|for)[ \t]{0,8}\([^)]{0,200}(\.length|0x[0-9a-f]{4,8}|[0-9]{4,8})/ nocase
    condition:
        $unescape and $sled and $grow
}

rule PDF_Reader_Exploit
{
    meta:
        description = "Call of a PDF reader's function that is known to be exploited, with shellcode beside it"
        severity = "malicious"
        vector = "PDF-21"
        attack = "T1203"
        licence = "MIT OR Apache-2.0"
        date = "2026-11-23"
    strings:
        // CVE-2007-5659, CVE-2009-0927, CVE-2008-2992, CVE-2009-4324, CVE-2009-1493, CVE-2010-2883's spray by util.printf.
        $collect = /\bCollab\.(collectEmailInfo|getIcon)[ \t]{0,8}\(/
        $printf = /\butil\.printf[ \t]{0,8}\([ \t]{0,8}["']%[0-9]{4,6}\.?[0-9]*f/
        $player = /\bmedia\.newPlayer[ \t]{0,8}\([ \t]{0,8}null/
        $dictionary = /\bspell\.customDictionaryOpen[ \t]{0,8}\(/
        $shellcode = /unescape[ \t]{0,8}\([ \t]{0,8}["'](%u[0-9a-f]{4}){4}/ nocase
    condition:
        any of ($collect, $printf, $player, $dictionary) and $shellcode
}
