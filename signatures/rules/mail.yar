// Messages, appointments and contacts.

rule Calendar_Alarm_Runs_Program
{
    meta:
        description = "Appointment whose alarm starts a program"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "EML-09"
        attack = "T1204.002"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $calendar = "BEGIN:VCALENDAR" nocase
        $action = /\nACTION[^:\r\n]{0,80}:[ \t]*PROCEDURE/ nocase
    condition:
        filesize < 16MB and $calendar and $action
}

rule Calendar_Attaches_Program_Or_Share
{
    meta:
        description = "Appointment with a link to a program or to a share as its attachment"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 65
        vector = "EML-09"
        attack = "T1204.002,T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $calendar = "BEGIN:VCALENDAR" nocase
        $attach = /\nATTACH[^:\r\n]{0,120}:[ \t]*(file:|\\\\|[^\r\n]{1,300}(\.exe|\.hta|\.js|\.vbs|\.lnk|\.iso|\.scr|\.msi|\.bat|\.ps1)[\r\n])/ nocase
    condition:
        filesize < 16MB and $calendar and $attach
}

rule Appointment_Reminder_On_Share
{
    meta:
        description = "Outlook item whose reminder plays a sound from a share, which gives the password's hash away (CVE-2023-23397)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 85
        vector = "EML-08"
        attack = "T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $class = /I\x00P\x00M\x00\.\x00(A\x00p\x00p\x00o\x00i\x00n\x00t|T\x00a\x00s\x00k|S\x00c\x00h\x00e\x00d\x00u\x00l\x00e)/
        // PSETID_Common and the named property 0x851F, PidLidReminderFileParameter.
        $set = { 08 20 06 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $property = { 1F 85 00 00 }
        $share = /\\\x00\\\x00[a-z0-9]\x00([a-z0-9._@-]\x00){1,80}\\\x00/ nocase
    condition:
        uint32be(0) == 0xD0CF11E0 and all of them
}

rule Contact_Link_Runs_Program
{
    meta:
        description = "Contact whose link is a program or a share and not a web page"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 75
        vector = "EML-10"
        attack = "T1204.002,T1187"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $card = "BEGIN:VCARD" nocase
        $url = /\nURL[^:\r\n]{0,80}:[ \t]*(file:|\\\\|http[.\\][^\r\n]{0,200}|[^\r\n:]{1,200}(\.exe|\.cpl|\.vbs|\.js|\.hta|\.lnk|\.bat)[ \t]*[\r\n])/ nocase
        $contact = "<c:contact" nocase
        $value = /<c:Value>\s{0,8}(file:|\\\\|[^<:]{1,200}(\.exe|\.cpl|\.vbs|\.js|\.hta|\.lnk|\.bat)\s{0,8}<)/ nocase
    condition:
        filesize < 4MB and (($card and $url) or ($contact and $value))
}

rule Moniker_Link_Exploit
{
    meta:
        description = "Link that has Outlook load a file of a share as a moniker, past its warnings (CVE-2024-21413)"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "malicious"
        score = 90
        vector = "EML-03"
        attack = "T1187,T1203"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $link = /href[ \t]*=[ \t]*(3D)?["']?file:\/\/\/\\\\[a-z0-9][^"'<>\r\n]{1,200}\\[^"'<>\r\n]{1,120}\.[a-z]{2,5}![a-z0-9]{1,60}["'> ]/ nocase
    condition:
        $link
}

rule Mail_Attachment_Double_Extension
{
    meta:
        description = "Message with a program or script attached under the name of a document"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "EML-13"
        attack = "T1036.007,T1566.001"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $name = /[; \t](filename|name)\*?[0-9]?\*?[ \t]{0,4}=[ \t]{0,4}["']?[^\r\n"<>]{1,160}\.(pdf|docx?|xlsx?|pptx|rtf|txt|csv|jpe?g|png|dwg|html?)[ _.]{0,120}\.(exe|scr|com|pif|bat|cmd|vbs|jse?|wsf|hta|ps1|lnk|iso|img)["';\r\n]/ nocase
        $mime = /\nContent-(Disposition|Type):/ nocase
    condition:
        $mime and $name
}

rule Macro_Document_In_Web_Archive
{
    meta:
        description = "Web archive (MHT) with a macro project of Office in it"
        author = "Sallyport"
        date = "2026-11-23"
        severity = "suspicious"
        score = 80
        vector = "HTM-08"
        attack = "T1027,T1059.005"
        licence = "MIT OR Apache-2.0"
        source = "own"
    strings:
        $mime = /MIME-Version:/ nocase
        // "ActiveMime" in base64, which begins the stored project.
        $project = /QWN0aXZlTWlt[Z][A-Za-z0-9+\/=]/
        $binary = "ActiveMime"
    condition:
        ($mime and $project) or $binary at 0
}
