// What every scanner must know, and what a person uses to see that a scanner is awake.

rule EICAR_Test_File
{
    meta:
        description = "EICAR anti-virus test string, also inside other bytes and in UTF-16"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 100
        vector = "EXE-01"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        // Letters as escapes, so that this file is not itself a test file.
        $eicar = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$\x45ICAR-\x53TANDARD-\x41NTIVIRUS-\x54EST-FILE!$H+H*" ascii wide
    condition:
        $eicar
}
