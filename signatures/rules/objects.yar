// More of what documents carry or fetch: notebooks, help files, installers, objects and add-ins.

rule OneNote_Attachment_Runs
{
    meta:
        description = "OneNote notebook with a program, a script or a shortcut attached"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "MIS-01"
        attack = "T1204.002,T1027.009"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // FileDataStoreObject, MS-ONESTORE 2.6.13: GUID, length, 12 bytes, then the file.
        $file = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] (4D 5A | 4C 00 00 00 01 14 | 3C 73 63 72 | 3C 68 74 61 | 3C 6A 6F 62 | 40 65 63 68 | 49 54 53 46) }
        $name = /[a-z0-9_ )-]\x00(\.\x00h\x00t\x00a|\.\x00v\x00b\x00s|\.\x00j\x00s\x00e|\.\x00b\x00a\x00t|\.\x00c\x00m\x00d|\.\x00w\x00s\x00f|\.\x00l\x00n\x00k|\.\x00e\x00x\x00e|\.\x00c\x00h\x00m|\.\x00p\x00s\x001|\.\x00i\x00s\x00o)\x00\x00\x00/ nocase
    condition:
        // {7B5C52E4-D88C-4DA7-AEB1-5378D02996D3}
        uint32be(0) == 0xE4525C7B and uint32be(4) == 0x8CD8A74D and any of them
}

rule Compiled_Help_With_Program
{
    meta:
        description = "Compiled help (.chm) with a script file or a program in it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "MIS-02"
        attack = "T1218.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /\/[a-z0-9_ -]{1,60}(\.exe|\.dll|\.hta|\.vbs|\.vbe|\.bat|\.cmd|\.ps1|\.lnk|\.scr|\.jse)[\x00-\x02]/ nocase
    condition:
        uint32be(0) == 0x49545346 and uint32(4) == 3 and $name
}

rule Installer_Runs_Script
{
    meta:
        description = "Installer package (.msi) with a custom action that runs a script host or a shell"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "OLE-17"
        attack = "T1218.007,T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // {000C1084-0000-0000-C000-000000000046}, the root of a package.
        $root = { 84 10 0C 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $action = "CustomAction"
        $script = /powershell|mshta|wscript|cscript|cmd\.exe|cmd \/c|rundll32|certutil|ActiveXObject|CreateObject/ nocase
    condition:
        // The strings of a package stand in one pool, without anything between them.
        uint32be(0) == 0xD0CF11E0 and all of them
}

rule Browser_Control_In_Document
{
    meta:
        description = "Document with a web browser or an HTML document as its object"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "OLE-08"
        attack = "T1203,T1559.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // {EAB22AC3-30C1-11CF-A7EB-0000C05BAE0B}, {8856F961-340A-11D0-A96B-00C04FD705A2}, {25336920-03F9-11CF-8FD0-00AA00686F13}
        $shell = { C3 2A B2 EA C1 30 CF 11 A7 EB 00 00 C0 5B AE 0B }
        $browser = { 61 F9 56 88 0A 34 D0 11 A9 6B 00 C0 4F D7 05 A2 }
        $html = { 20 69 33 25 F9 03 CF 11 8F D0 00 AA 00 68 6F 13 }
        $hex = /c32ab2eac130cf11a7eb0000c05bae0b|61f956880a34d011a96b00c04fd705a2|20693325f903cf118fd000aa00686f13/ nocase
        $xml = /classid[ \t]*=[ \t]*["']\{?(clsid:)?\{?(EAB22AC3-30C1-11CF-A7EB|8856F961-340A-11D0-A96B)/ nocase
    condition:
        (uint32be(0) == 0xD0CF11E0 and any of ($shell, $browser, $html))
        or (uint32be(0) == 0x7B5C7274 and $hex) or $xml
}

rule Presentation_Action_Runs_Program
{
    meta:
        description = "Slide action that starts a program or a macro"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "OOX-26"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $action = /action[ \t]*=[ \t]*["']ppaction:\/\/(program|macro|ole)\b/ nocase
    condition:
        $action
}

rule Remote_Frame_Or_Ribbon
{
    meta:
        description = "Document that loads a frame, a subdocument or a ribbon from elsewhere"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "OOX-19"
        attack = "T1221,T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $type_first = /<Relationship\s[^>]{0,400}(\/frame|\/subDocument|\/extensibility|\/aFChunk)["'][^>]{0,400}Target=["'](https?:|file:\/\/[^\/]|\\\\|mhtml:)/ nocase
        $target_first = /<Relationship\s[^>]{0,400}Target=["'](https?:|file:\/\/[^\/]|\\\\|mhtml:)[^>]{0,400}(\/frame|\/subDocument|\/extensibility|\/aFChunk)["']/ nocase
    condition:
        any of them
}

rule Auto_Open_Name_In_Workbook
{
    meta:
        description = "Workbook with a defined name that runs an Excel 4.0 macro when it opens"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "OOX-05"
        attack = "T1137,T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /<definedName\s[^>]{0,200}name[ \t]*=[ \t]*["'](_xlnm\.)?Auto_(Open|Close|Activate)/ nocase
    condition:
        $name
}

rule Cell_Formula_Calls_System
{
    meta:
        description = "Cell formula that calls a library or fetches a page"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "OOX-16"
        attack = "T1559.002,T1041"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $formula = /<f[^>]{0,80}>[^<]{0,400}(WEBSERVICE\((&quot;|")https?:|REGISTER\.ID\(|\bCALL\((&quot;|")[a-z0-9]{1,20}(&quot;|"),|\bRTD\((&quot;|")[^<]{0,80}https?:)/ nocase
    condition:
        $formula
}

rule Add_In_From_Web
{
    meta:
        description = "Document that brings an add-in of .NET from the web or a share (VSTO)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "LNK-05"
        attack = "T1137.006"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $property = /name[ \t]*=[ \t]*["']_AssemblyLocation["'][^<]{0,40}>\s{0,8}<vt:lpwstr>(https?:|\\\\|file:\/\/[^\/])/ nocase
        $manifest = /<vstav3:[a-z]{1,20}[^>]{0,400}>/ nocase
        $codebase = /codebase[ \t]*=[ \t]*["'](https?:|\\\\|file:\/\/[^\/])/ nocase
    condition:
        $property or ($manifest and $codebase)
}

rule Excel_Add_In_Library
{
    meta:
        description = "Windows library that Excel or Word loads as an add-in (.xll, .wll)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "LNK-05"
        attack = "T1137.006"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $open = "xlAutoOpen"
        $word = "wdAutoOpen"
    condition:
        uint16(0) == 0x5A4D and uint32(0x3C) < filesize and uint32(uint32(0x3C)) == 0x00004550
        // IMAGE_FILE_DLL
        and uint16(uint32(0x3C) + 22) & 0x2000 != 0 and any of them
}

rule ODF_Event_Runs_Script
{
    meta:
        description = "OpenDocument text or table whose event runs a macro"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "ODF-04"
        attack = "T1137,T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $listener = /<script:event-listener\s[^>]{0,600}xlink:href[ \t]*=[ \t]*["']vnd\.sun\.star\.script:/ nocase
        $event = /script:event-name[ \t]*=[ \t]*["'](dom:load|office:(load-finished|new|start-app|view-created)|dom:unload|dom:mouseover|dom:DOMFocusIn)/ nocase
    condition:
        $listener and $event
}

rule ODF_Link_Runs_Command
{
    meta:
        description = "OpenDocument link that runs a command of the office suite or a macro"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "ODF-10"
        attack = "T1059,T1204.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $link = /xlink:href[ \t]*=[ \t]*["'](vnd\.sun\.star\.expand:|vnd\.libreoffice\.command:|macro:\/\/|service:|vnd\.sun\.star\.script:[^"']{0,200}language=(Python|BeanShell|JavaScript))/ nocase
    condition:
        $link
}

rule RTF_Package_Object
{
    meta:
        description = "RTF with a packed file as its object"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "RTF-01"
        attack = "T1027.009,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $data = "\\objdata"
        // "Package" and its end in hexadecimal digits: the class of the object.
        $class = /0?8\s{0,4}0{6}\s{0,4}5061636b61676500/ nocase
        $name = /\\objclass[ \t]{1,4}Package\b/ nocase
    condition:
        uint32be(0) == 0x7B5C7274 and $data and ($class or $name)
}

rule RTF_Header_Cut_Short
{
    meta:
        description = "RTF object behind a header that only Word takes for one"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "RTF-07"
        attack = "T1027,T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $object = "\\objdata"
    condition:
        uint32be(0) == 0x7B5C7274 and uint8(4) != 0x66 and $object
}

rule PostScript_Runs_Command
{
    meta:
        description = "PostScript that starts a program or changes files"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "IMG-18"
        attack = "T1203,T1059"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $pipe = /\(%pipe%[^)]{1,400}\)/
        $file = /\b(deletefile|renamefile)\b/
        $write = /\([^)]{1,200}\)[ \t\r\n]{1,8}\([wa]\+?\)[ \t\r\n]{1,8}file\b/
    condition:
        (uint32be(0) == 0x25215053 or uint32be(0) == 0xC5D0D3C6) and any of them
}

rule Style_Sheet_Runs_Script
{
    meta:
        description = "XSLT style sheet with script or calls of Java"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "XML-04"
        attack = "T1220"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $sheet = "http://www.w3.org/1999/XSL/Transform"
        $script = /<msxsl:script|<ms:script[^>]{0,200}implements-prefix|xmlns:[a-z]{1,16}[ \t]*=[ \t]*["'](http:\/\/xml\.apache\.org\/(xalan|xslt)\/java|java:java\.lang)|<lxslt:script/ nocase
    condition:
        $sheet and $script
}

rule XML_Entity_Reads_File
{
    meta:
        description = "XML entity that reads a local file or a share"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "XML-01"
        attack = "T1005,T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $entity = /<!ENTITY\s{1,16}(%\s{1,16})?[\w.-]{1,64}\s{1,16}(SYSTEM\s{1,16}|PUBLIC\s{1,16}["'][^"']{0,200}["']\s{1,16})["'](file:\/|php:\/\/|expect:\/\/|jar:|netdoc:|\\\\|[a-z]:[\\\/])/ nocase
        $document = /<!DOCTYPE\s/ nocase
    condition:
        // In a document of its own: a text may quote one.
        $document in (0 .. 1024) and $entity
}
