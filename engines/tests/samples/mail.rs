//! Samples of `mail.yar`.

use super::{CFB, Sample, sample};

pub const SAMPLES: &[Sample] = &[
    sample(
        "Calendar_Alarm_Runs_Program",
        &[
            b"BEGIN:VCALENDAR\r\nBEGIN:VALARM\r\nACTION:PROCE",
            b"DURE\r\nATTACH:calc\r\nEND:VALARM\r\nEND:VCALENDAR\r\n",
        ],
        &[b"BEGIN:VCALENDAR\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VCALENDAR\r\n"],
    ),
    sample(
        "Calendar_Attaches_Program_Or_Share",
        &[b"BEGIN:VCALENDAR\r\nATTACH:https://192.0.2.1/invite", b".hta\r\nEND:VCALENDAR\r\n"],
        &[b"BEGIN:VCALENDAR\r\nATTACH;FMTTYPE=application/pdf:https://example.org/agenda.pdf\r\nEND:VCALENDAR\r\n"],
    ),
    sample(
        "Appointment_Reminder_On_Share",
        &[
            CFB,
            b"I\0P\0M\0.\0A\0p\0p\0o\0i\0n\0t\0m\0e\0n\0t\0\0\0",
            b"\x08\x20\x06\0\0\0\0\0\xc0\0\0\0\0\0\0\x46",
            b"\x1f\x85\0\0\x06\0\x01\0",
            b"\\\0\\\x001\x009\x002\0.\x000\0.\x002\0.\x001\0\\\0a\0",
        ],
        &[
            CFB,
            b"I\0P\0M\0.\0A\0p\0p\0o\0i\0n\0t\0m\0e\0n\0t\0\0\0",
            b"\x08\x20\x06\0\0\0\0\0\xc0\0\0\0\0\0\0\x46",
            b"\x1f\x85\0\0\x06\0\x01\0r\0e\0m\0i\0n\0d\0e\0r\0.\0w\0a\0v\0",
        ],
    ),
    sample(
        "Contact_Link_Runs_Program",
        &[b"BEGIN:VCARD\r\nFN:A\r\nURL:file://192.0.2.1/a", b".cpl\r\nEND:VCARD\r\n"],
        &[b"BEGIN:VCARD\r\nFN:A\r\nURL:https://example.org/\r\nEND:VCARD\r\n"],
    ),
    sample(
        "Moniker_Link_Exploit",
        &[b"<a href=\"file:///\\\\192.0.2.1\\share\\order.rtf", b"!x\">order</a>"],
        &[b"<a href=\"file:///\\\\server\\share\\order.rtf\">order!</a>"],
    ),
    sample(
        "Mail_Attachment_Double_Extension",
        &[b"Subject: order\r\nContent-Disposition: attachment; filename=\"order.pdf", b".js\"\r\n"],
        &[b"Subject: order\r\nContent-Disposition: attachment; filename=\"order.v2.pdf\"\r\n"],
    ),
    sample(
        "Macro_Document_In_Web_Archive",
        &[b"MIME-Version: 1.0\r\nContent-Type: application/x-mso\r\n\r\nQWN0aXZl", b"TWltZQAAAfAEAAAA\r\n"],
        &[b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\nActiveMime is a stored project\r\n"],
    ),
];
