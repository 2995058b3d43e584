// Programs that hide what they do: packed, encrypted, or a script in a program's clothes.

import "math"

rule Packed_With_UPX
{
    meta:
        description = "Program that is packed with UPX"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "EXE-01"
        attack = "T1027.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $section = { 55 50 58 30 00 00 00 00 }
        $mark = { 55 50 58 21 [0-3] (0A | 0B | 0C | 0D | 0E) }
    condition:
        (uint16(0) == 0x5A4D and $section in (0 .. 4096)) or (uint32be(0) == 0x7F454C46 and $mark in (0 .. 4096))
}

rule Packed_Or_Protected_Program
{
    meta:
        description = "Windows program with the sections of a packer or a protector"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "EXE-01"
        attack = "T1027.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /(\.MPRESS[12]|\.aspack\x00|\.adata\x00\x00|\.themida|\.winlice|\.vmp[0-2]\x00|\.petite\x00|\.enigma[12]|PEC2[A-Z0-9]{4}|PECompact2|\.nsp[0-2]\x00|\.perplex|\.y0da\x00|\.yP\x00|MEW\x00F\x12|\.MaskPE|\.boom\x00|\.svkp\x00|BitArts\x00|kkrunchy|\.packed\x00|\.RLPack|\.spack\x00|\.seau\x00)/
    condition:
        uint16(0) == 0x5A4D and $name in (0 .. 4096)
}

rule Program_Code_Looks_Random
{
    meta:
        description = "Windows program whose code is compressed or encrypted, by its entropy"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 55
        vector = "EXE-01"
        attack = "T1027.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    condition:
        uint16(0) == 0x5A4D and uint32(0x3C) < filesize and uint32(uint32(0x3C)) == 0x00004550
        // Section headers of 40 bytes follow the optional header. Size and place in the file are at 16 and 20, the
        // characteristics at 36: IMAGE_SCN_MEM_EXECUTE. Module pe would know too, at 0.2 ms for every file of any kind.
        and for any i in (0 .. 15) : (
            i < uint16(uint32(0x3C) + 6)
            and uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 36) & 0x20000000 != 0
            and uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 16) >= 4096
            and math.entropy(
                uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 20),
                uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 16)
            ) > 7.5
        )
}

rule Program_Rewrites_Its_Code
{
    meta:
        description = "Windows program that begins in a section it can write to"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "EXE-01"
        attack = "T1027.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    condition:
        uint16(0) == 0x5A4D and uint32(0x3C) < filesize and uint32(uint32(0x3C)) == 0x00004550
        // IMAGE_SCN_MEM_WRITE with IMAGE_SCN_MEM_EXECUTE; the entry point is at 16 of the optional header, a section's
        // size and place in memory at 8 and 12 of its header.
        and for any i in (0 .. 15) : (
            i < uint16(uint32(0x3C) + 6)
            and uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 36) & 0xA0000000 == 0xA0000000
            and uint32(uint32(0x3C) + 40) >= uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 12)
            and uint32(uint32(0x3C) + 40)
                < uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 12)
                + uint32(uint32(0x3C) + 24 + uint16(uint32(0x3C) + 20) + 40 * i + 8)
        )
}

rule Script_In_Program
{
    meta:
        description = "Script that was made into a Windows program (PyInstaller, AutoIt, AutoHotkey)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "EXE-01"
        attack = "T1059.006,T1059.010"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $python = { 4D 45 49 0C 0B 0A 0B 0E }
        $autoit = "AU3!EA06"
        $autohotkey = ">AUTOHOTKEY SCRIPT<" ascii wide
    condition:
        uint16(0) == 0x5A4D and any of them
}

rule Self_Extracting_Program
{
    meta:
        description = "Windows program that unpacks an archive or an installation of its own"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 45
        vector = "EXE-03"
        attack = "T1204.002,T1027.009"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $seven_zip = ";!@Install@!UTF-8!"
        $nullsoft = "NullsoftInst"
        $inno = "Inno Setup Setup Data"
        $rar = { 52 61 72 21 1A 07 (00 CF | 01 00) }
        $cabinet = "WEXTRACT"
    condition:
        uint16(0) == 0x5A4D and any of them
}

rule Bytecode_Program
{
    meta:
        description = "Program for a virtual machine: Java class, Android DEX, WebAssembly"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "EXE-01"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    condition:
        // A fat Mach-O begins with the same four bytes and a small number of architectures.
        (uint32be(0) == 0xCAFEBABE and uint16be(4) < 3 and uint16be(6) >= 45 and uint16be(6) < 100)
        or (uint32be(0) == 0x6465780A and uint8(7) == 0)
        or (uint32be(0) == 0x0061736D and uint32(4) == 1)
}

rule Java_Archive
{
    meta:
        description = "Java archive (.jar): a program, whatever its name is"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "ARC-16"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $manifest = /PK\x01\x02.{42}META-INF\/MANIFEST\.MF/s
        $class = /PK\x01\x02.{42}[^\x00-\x1f]{1,200}\.class/s
    condition:
        uint32be(0) == 0x504B0304 and $manifest
        and for any i in (1 .. #class) : (uint16(@class[i] + 28) + 46 == !class[i])
}
