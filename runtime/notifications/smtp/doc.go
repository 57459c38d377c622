// Package smtp hands mails to servers that pass them on, by SMTP (RFC 5321).
//
//	Message ─> composed once for each provider ─> connection (kept for the next mail, or new) ─> MAIL, RCPT, DATA, the dot
//	                 │                                  │                                          │               │
//	                 └ refused: Permanent               └ Temporary, Account: the next provider    │               └ no answer: Unknown
//	                                                                                               └ 4xx: Temporary, 5xx: Permanent
//
// It promises:
//
//   - What a mail says of itself cannot be injected: whatever has a line break where none may be is refused, and so is a
//     recipient that is not exactly one address.
//   - The Message-ID derives from the caller's key alone, so that a mail that is sent again can be told from a second mail.
//   - A try never hands a mail to another provider once one may have taken it. Tries know nothing of each other: the next one
//     begins with the first provider again, under the same Message-ID.
//   - With "starttls" and "implicit" nothing of a mail is sent before the server has shown a certificate for its name. A
//     password leaves by an encrypted connection, or to this machine.
//   - A try is over when its time is, whatever the server does, and no password is in an error.
package smtp
