// Programs, alone and inside other things. All suspicious: a program as such is withheld by its type, and one inside a
// document is not in what we rebuild.

rule PE_Executable
{
    meta:
        description = "Windows program or library (PE/COFF)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "EXE-01"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    condition:
        uint16(0) == 0x5A4D and uint32(0x3C) < filesize and uint32(uint32(0x3C)) == 0x00004550
}

rule ELF_Executable
{
    meta:
        description = "Unix program or library (ELF)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "EXE-01"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    condition:
        uint32(0) == 0x464C457F and (uint8(4) == 1 or uint8(4) == 2) and uint8(6) == 1
}

rule MachO_Executable
{
    meta:
        description = "macOS program or library (Mach-O, one architecture)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 50
        vector = "EXE-01"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    condition:
        // cputype x86 (7) or ARM (12), with or without the 64-bit flag; filetype 1 to 11.
        (uint32(0) == 0xFEEDFACE or uint32(0) == 0xFEEDFACF)
        and (uint32(4) & 0x00FFFFFF == 7 or uint32(4) & 0x00FFFFFF == 12)
        and uint32(12) >= 1 and uint32(12) <= 11
}

rule PE_Inside_Other_Bytes
{
    meta:
        description = "Windows program carried inside a document, picture or text: raw, hexadecimal or base64"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "OLE-14"
        attack = "T1027.009"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $raw = { 4D 5A 90 00 03 00 00 00 04 00 00 00 FF FF }
        $hex = "4d5a90000300000004000000ffff" nocase
        $base64 = "TVqQAAMAAAAEAAAA//8"
    condition:
        $hex or $base64
        or for any i in (1 .. #raw) : (
            @raw[i] > 0 and uint32(@raw[i] + 0x3C) < 0x10000
            and uint32(@raw[i] + uint32(@raw[i] + 0x3C)) == 0x00004550
        )
}
