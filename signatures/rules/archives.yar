// Archives and disk images, by the names that stand in them: what hides a program under the name of a document, and
// what a person would only have to double-click. A name in a ZIP is read where the central directory has it, and only
// at its full length (offset 28 of the record), so that the end of ".json" is not taken for ".js".

rule Zip_Member_Double_Extension
{
    meta:
        description = "Archive with a program or script that bears the name of a document"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "NAM-02"
        attack = "T1036.007,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /PK\x01\x02.{42}[^\x00-\x1f]{0,160}\.(pdf|docx?|docm|xlsx?|xlsm|pptx?|rtf|txt|csv|jpe?g|png|dwg|dxf|html?|zip|mp4)[ _.]{0,120}\.(exe|scr|com|pif|bat|cmd|vbs|vbe|jse?|wsf|hta|ps1|lnk|cpl|msi|jar|iso|img|url)/is
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #name) : (uint16(@name[i] + 28) + 46 == !name[i])
}

rule Zip_Member_Name_Reads_Backwards
{
    meta:
        description = "Archive with a name that a right-to-left override turns around"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "NAM-01"
        attack = "T1036.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /PK\x01\x02.{42}[^\x00-\x1f]{0,160}\xE2\x80\xAE/s
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #name) : (uint16(@name[i] + 28) + 46 >= !name[i])
}

rule Zip_Of_One_Script
{
    meta:
        description = "Archive that holds nothing but a script, a shortcut or a program"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 70
        vector = "SCR-01"
        attack = "T1204.002,T1566.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /PK\x01\x02.{42}[^\x00-\x1f]{1,200}\.(exe|scr|com|pif|bat|cmd|vbs|vbe|jse?|wsf|wsh|hta|ps1|lnk|cpl|msi|jar|chm|xll|url|msc|appx|library-ms|search-ms)/is
        $end = { 50 4B 05 06 00 00 00 00 01 00 01 00 }
    condition:
        uint32be(0) == 0x504B0304 and $end in (filesize - 1024 .. filesize)
        and for any i in (1 .. #name) : (uint16(@name[i] + 28) + 46 == !name[i])
}

rule Zip_Member_Disk_Image
{
    meta:
        description = "Archive with a disk image, whose files lose the mark of the web"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 60
        vector = "DSK-01"
        attack = "T1553.005,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /PK\x01\x02.{42}[^\x00-\x1f]{1,200}\.(iso|img|vhd|vhdx|udf|vmdk|wim|daa)/is
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #name) : (uint16(@name[i] + 28) + 46 == !name[i])
}

rule Zip_Member_Leaves_Folder
{
    meta:
        description = "Archive with a name that leads out of the folder it is unpacked to"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "ARC-01"
        attack = "T1574,T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $up = /PK\x01\x02.{42}([^\x00-\x1f]{0,160}[\/\\])?\.\.[\/\\]/s
        $absolute = /PK\x01\x02.{42}([a-z]:[\/\\]|\\\\[a-z0-9])/is
    condition:
        uint32be(0) == 0x504B0304
        and (for any i in (1 .. #up) : (uint16(@up[i] + 28) + 46 >= !up[i])
            or for any i in (1 .. #absolute) : (uint16(@absolute[i] + 28) + 46 >= !absolute[i]))
}

rule WinRAR_Folder_Name_Exploit
{
    meta:
        description = "Archive with a folder of the same name as a document, a space and a script in it (CVE-2023-38831)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "ARC-07"
        attack = "T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /PK\x01\x02.{42}[^\x00-\x1f\/]{1,120}\.[a-z0-9]{2,5} \/[^\x00-\x1f\/]{1,120}\.[a-z0-9]{2,5} \.(cmd|bat|exe|com|vbs|js|lnk|pif|scr|ps1)/is
    condition:
        uint32be(0) == 0x504B0304 and for any i in (1 .. #name) : (uint16(@name[i] + 28) + 46 == !name[i])
}

rule Ace_Path_Exploit
{
    meta:
        description = "ACE archive with a path that WinRAR unpacks outside of the folder (CVE-2018-20250)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 95
        vector = "ARC-10"
        attack = "T1203,T1547.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $magic = "**ACE**"
        $path = /[a-z]:\\[a-z]:[\\.\/a-z]|[a-z]:[.\/\\]{1,4}[^\x00\r\n]{0,160}\\Start Menu\\Programs\\Startup\\/ nocase
    condition:
        $magic at 7 and $path
}

rule Rar_Member_Double_Extension
{
    meta:
        description = "RAR archive with a program or script that bears the name of a document"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "NAM-02"
        attack = "T1036.007,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /(\.pdf|\.docx|\.doc|\.xlsx|\.xls|\.pptx|\.rtf|\.txt|\.csv|\.jpg|\.jpeg|\.png|\.dwg|\.dxf|\.html)[ _.]{0,120}(\.exe|\.scr|\.com|\.pif|\.bat|\.cmd|\.vbs|\.vbe|\.js|\.jse|\.wsf|\.hta|\.ps1|\.lnk|\.msi|\.url)[^a-z0-9.]/ nocase
    condition:
        uint32be(0) == 0x52617221 and uint16be(4) == 0x1A07 and $name
}

rule Disc_Image_With_Script
{
    meta:
        description = "Disc image with a shortcut, a script or an autorun.inf in it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "DSK-01"
        attack = "T1553.005,T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $plain = /(\.LNK|\.JS|\.JSE|\.VBS|\.VBE|\.HTA|\.WSF|\.BAT|\.CMD|\.PS1|\.SCR|\.CHM|AUTORUN\.INF);1/
        // Joliet: UCS-2, high byte first.
        $joliet = /(\x00\.\x00l\x00n\x00k|\x00\.\x00j\x00s\x00;|\x00\.\x00v\x00b\x00s|\x00\.\x00h\x00t\x00a|\x00\.\x00w\x00s\x00f|\x00\.\x00b\x00a\x00t|\x00\.\x00c\x00m\x00d|\x00\.\x00p\x00s\x001)/ nocase
    condition:
        uint32be(0x8001) == 0x43443030 and uint8(0x8005) == 0x31 and any of them
}

rule Virtual_Disk
{
    meta:
        description = "Virtual hard disk (VHD, VHDX), which Windows mounts on a double-click"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "DSK-01"
        attack = "T1553.005"
        licence = "MIT OR Apache-2.0"
        source = "own"
    condition:
        // "conectix" first or in the footer, "vhdxfile" first.
        (uint32be(0) == 0x636F6E65 and uint32be(4) == 0x63746978)
        or (filesize > 512 and uint32be(filesize - 512) == 0x636F6E65 and uint32be(filesize - 508) == 0x63746978)
        or (uint32be(0) == 0x76686478 and uint32be(4) == 0x66696C65)
}
