// Pages and PDFs that carry code.

rule HTML_Smuggling
{
    meta:
        description = "Page that assembles a file in the browser and saves it by itself"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "HTM-01"
        attack = "T1027.006"
        licence = "MIT OR Apache-2.0"
        source = "own"
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
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "HTM-05"
        attack = "T1218.005"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $tag = /<hta:application\b/ ascii wide nocase
    condition:
        $tag
}

rule PDF_Launches_Program
{
    meta:
        description = "PDF action that starts a program or a script"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "PDF-22"
        attack = "T1204.002,T1202"
        licence = "MIT OR Apache-2.0"
        source = "own"
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
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "PDF-21"
        attack = "T1059.007,T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
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
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "PDF-21"
        attack = "T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
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

rule PDF_Script_On_Open
{
    meta:
        description = "PDF that runs JavaScript when it is opened"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "PDF-35"
        attack = "T1059.007,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $direct = /\/(OpenAction|AA)[ \t\r\n]{0,8}<<[^>]{0,200}\/JavaScript\b/
        $trigger = /\/OpenAction[ \t\r\n]{0,8}[0-9]/
        $tree = /\/JavaScript[ \t\r\n]{0,8}(<<|[0-9]{1,10} [0-9]{1,5} R)/
        $action = /\/S[ \t\r\n]{0,8}\/JavaScript\b/
    condition:
        uint32be(0) == 0x25504446 and ($direct or ($trigger and $action) or ($tree and $action))
}

rule PDF_Obfuscated_Name
{
    meta:
        description = "PDF name of an action written with needless escapes"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "PDF-07"
        attack = "T1027"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $javascript_1 = /\/(#4a|J)#61(vaScript|#76|v)/ nocase
        $javascript_2 = /\/#4a(avaScript|a#76|S[ \t\r\n\/(<0-9])/ nocase
        $javascript_3 = /\/Ja#76a/
        $javascript_4 = /\/Jav#61/
        $javascript_5 = /\/Java(#53cript|S#63ript|Sc#72ipt|Scr#69pt|Scri#70t|Scrip#74)/
        $short = /\/J#53[ \t\r\n\/(<0-9]/
        $launch = /\/(L#61unch|La#75nch|Lau#6ech|Laun#63h|Launc#68|#4caunch|#4c#61)/ nocase
        $open = /\/(Open#41ction|O#70enAction|OpenA#63tion|#4fpenAction|OpenActio#6e)/ nocase
        $embedded = /\/(Embedded#46ile|E#6dbeddedFile|#45mbeddedFile|EmbeddedFil#65)/ nocase
    condition:
        uint32be(0) == 0x25504446 and any of them
}

rule PDF_Carries_Program
{
    meta:
        description = "PDF with a program or script attached"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "PDF-44"
        attack = "T1027.009,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $attached = "/EmbeddedFile"
        $name = /\/U?F[ \t\r\n]{0,8}\([^()\r\n]{1,200}(\.exe|\.scr|\.com|\.pif|\.bat|\.cmd|\.vbs|\.vbe|\.js|\.jse|\.wsf|\.hta|\.ps1|\.lnk|\.msi|\.jar|\.dll|\.iso|\.settingcontent-ms)\)/ nocase
    condition:
        uint32be(0) == 0x25504446 and $attached and $name
}

rule PDF_Script_Launches_Attachment
{
    meta:
        description = "JavaScript of a PDF that saves an attachment and starts it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "PDF-21"
        attack = "T1059.007,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $export = /exportDataObject[ \t]{0,8}\([^;]{0,300}nLaunch[ \t"']{0,8}:[ \t]{0,8}[12]/
    condition:
        $export
}

rule PDF_Reaches_For_Share
{
    meta:
        description = "PDF that takes a file or a page from a share, which gives the password's hash away"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "PDF-47"
        attack = "T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // Two backslashes are four in the string of a PDF.
        $file = /\/(UF|F)[ \t\r\n]{0,8}\((\\\\\\\\[A-Za-z0-9]|\\134\\134[A-Za-z0-9]|file:\/\/([A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,6}[\/\\]|\\\\))/
        $address = /\/URI[ \t\r\n]{0,8}\((\\\\\\\\[A-Za-z0-9]|file:\/\/([A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,6}[\/\\]|\\\\))/
    condition:
        uint32be(0) == 0x25504446 and any of them
}

rule PDF_Link_To_Program
{
    meta:
        description = "PDF link straight to a program, a script or a disk image"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "PDF-23"
        attack = "T1204.001,T1566.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $link = /\/URI[ \t\r\n]{0,8}\(https?:[^()\r\n]{4,400}(\.exe|\.scr|\.bat|\.cmd|\.vbs|\.jse|\.wsf|\.hta|\.ps1|\.lnk|\.msi|\.iso|\.img|\.jar|\.vhd|\.xll|\.one)\)/ nocase
    condition:
        uint32be(0) == 0x25504446 and $link
}

rule HTML_Runs_Windows_Script
{
    meta:
        description = "Page that reaches for the shell of Windows through ActiveX or VBScript"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "HTM-05"
        attack = "T1059.005,T1059.007"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $page = /<(html|script|head|body)[ >]/ nocase
        $object = /(ActiveXObject|CreateObject)[ \t]{0,8}\([ \t]{0,8}["'](WScript\.Shell|Shell\.Application|Scripting\.FileSystemObject|ADODB\.Stream)/ nocase
    condition:
        $page and $object
}

rule SVG_With_Script
{
    meta:
        description = "SVG drawing with script in it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "SVG-01"
        attack = "T1059.007,T1027.017"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $root = /<(svg:)?svg[ \t\r\n>]/ nocase
        $script = /<(svg:)?script[ \t\r\n>\/]/ nocase
        $html = /<html[ \t\r\n>]/ nocase
    condition:
        $root in (0 .. 2048) and $script and not $html in (0 .. 2048)
}

rule SVG_Smuggles_File
{
    meta:
        description = "SVG drawing that assembles a file or a page, or sends the viewer elsewhere"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "SVG-03"
        attack = "T1027.017,T1027.006"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $root = /<(svg:)?svg[ \t\r\n>]/ nocase
        $script = /<(svg:)?script[ \t\r\n>\/]/ nocase
        $decode = /\batob[ \t]{0,8}\(|createObjectURL|fromCharCode|\bunescape[ \t]{0,8}\(/ nocase
        $go = /location(\.href)?[ \t]{0,8}=|location\.(replace|assign)[ \t]{0,8}\(|document\.write|\.click[ \t]{0,8}\(\)|window\.open[ \t]{0,8}\(|innerHTML/ nocase
    condition:
        $root in (0 .. 2048) and $script and $decode and $go
}
