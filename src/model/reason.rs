//! `Reason` (lý do): why a request failed or an answer was refused, and what to do about it.

mod sentence;

pub use sentence::Sentence;

use super::run::labelled;

labelled! {
    /// Why a request failed or an answer was refused: a closed list with stable labels.
    Reason {
        /// The host name has no address.
        Dns = "dns",
        /// No connection (refused, reset, no way to the host).
        Connect = "connect",
        /// TLS could not be agreed: the other side broke the handshake, or does not speak TLS at that port.
        TlsHandshake = "tls_handshake",
        /// The certificate is not trusted: unknown issuer, self-signed, another name, not valid yet, revoked.
        TlsUntrusted = "tls_untrusted",
        /// The certificate has expired.
        TlsExpired = "tls_expired",
        /// No whole answer in time.
        Timeout = "timeout",
        /// Status 4xx other than those below.
        Http4xx = "http_4xx",
        /// Status 5xx.
        Http5xx = "http_5xx",
        /// Status 401 or 403, or a login page: who we are is not accepted.
        Auth = "auth",
        /// Status 429.
        RateLimited = "rate_limited",
        /// A redirect, which is not followed.
        RedirectBlocked = "redirect_blocked",
        /// The host name leads to this machine or to no single host (loopback, link-local, multicast …), which is not asked.
        AddressBlocked = "address_blocked",
        /// A firewall's page instead of the answer, whatever its status.
        Firewall = "firewall",
        /// The body passed the limit.
        TooLarge = "too_large",
        /// The bytes are not text in their encoding, not JSON, not the file they should be.
        Decode = "decode",
        /// Another media type than expected, or a page in place of data.
        ContentType = "content_type",
        /// The connection broke the protocol (wrong length, cut chunk).
        Protocol = "protocol",
        /// The answer itself says that it is an error, or that it is about something else.
        ErrorInBody = "error_in_body",
        /// The site itself says that it is being maintained: whether that was announced is another question.
        MaintenancePage = "maintenance_page",
        /// A path, selector or heading that should be there is not: the page changed.
        SelectorMissing = "selector_missing",
        /// Keys or types differ from the accepted shape.
        ShapeChanged = "shape_changed",
        /// A text that cannot be read as the declared number or date without doubt.
        ValueUnparsed = "value_unparsed",
        /// The number of rows is not as stated or expected.
        RowsMismatch = "rows_mismatch",
        /// Two pages of one list are the same.
        PageLoop = "page_loop",
        /// There are more pages than the limit allows.
        PageLimit = "page_limit",
        /// A code that the code map does not list.
        UnmappedUnit = "unmapped_unit",
        /// Two rows with one key.
        DuplicateKey = "duplicate_key",
        /// A gate refused the answer.
        Gate = "gate",
        /// Our own network is down: not even the references answered.
        OwnNetwork = "own_network",
        /// The server speaks only what we do not (TLS 1.0, 1.1, old ciphers): whether it works is unknown, never down.
        TlsUnsupported = "tls_unsupported",
        /// Not asked: after failures in a row the source is left alone for a while.
        CircuitOpen = "circuit_open",
        /// The run's time was up before this request could be made or answered.
        Deadline = "deadline",
        /// Not asked any more, because the source said no to an earlier request of the run.
        Cancelled = "cancelled",
        /// The program was stopped while the run was at work.
        Interrupted = "interrupted",
        /// The database or the archive did not take what was collected.
        Store = "store",
        /// The collector or the settings do not allow the request to be made.
        Config = "config",
        /// Our own fault.
        Internal = "internal",
    }
}

impl Reason {
    /// Whether the source cannot be blamed: it was not asked, or what stopped the answer is on our side. Such a
    /// reason says nothing of how well the source works; it is unknown then, and never down.
    ///
    /// A blocked address is ours, because it is our rule not to ask there. Limits that a source passes (`too_large`,
    /// `page_limit`) and codes that we do not know (`unmapped_unit`) are not: the source did answer.
    pub fn is_ours(self) -> bool {
        match self {
            Reason::AddressBlocked
            | Reason::OwnNetwork
            | Reason::TlsUnsupported
            | Reason::CircuitOpen
            | Reason::Deadline
            | Reason::Cancelled
            | Reason::Interrupted
            | Reason::Store
            | Reason::Config
            | Reason::Internal => true,
            Reason::Dns
            | Reason::Connect
            | Reason::TlsHandshake
            | Reason::TlsUntrusted
            | Reason::TlsExpired
            | Reason::Timeout
            | Reason::Http4xx
            | Reason::Http5xx
            | Reason::Auth
            | Reason::RateLimited
            | Reason::RedirectBlocked
            | Reason::Firewall
            | Reason::TooLarge
            | Reason::Decode
            | Reason::ContentType
            | Reason::Protocol
            | Reason::ErrorInBody
            | Reason::MaintenancePage
            | Reason::SelectorMissing
            | Reason::ShapeChanged
            | Reason::ValueUnparsed
            | Reason::RowsMismatch
            | Reason::PageLoop
            | Reason::PageLimit
            | Reason::UnmappedUnit
            | Reason::DuplicateKey
            | Reason::Gate => false,
        }
    }

    /// Whether the page is not the one we know, so that the collector file or the registry needs a person.
    ///
    /// Pages that repeat are drift: the numbering changed. Another media type is not, because an outage shows itself
    /// with a page of status 200 and passes by itself; nor are gates, which doubt values and not the page.
    pub fn is_drift(self) -> bool {
        match self {
            Reason::SelectorMissing
            | Reason::ShapeChanged
            | Reason::ValueUnparsed
            | Reason::RowsMismatch
            | Reason::PageLoop
            | Reason::UnmappedUnit
            | Reason::DuplicateKey => true,
            Reason::Dns
            | Reason::Connect
            | Reason::TlsHandshake
            | Reason::TlsUntrusted
            | Reason::TlsExpired
            | Reason::Timeout
            | Reason::Http4xx
            | Reason::Http5xx
            | Reason::Auth
            | Reason::RateLimited
            | Reason::RedirectBlocked
            | Reason::AddressBlocked
            | Reason::Firewall
            | Reason::TooLarge
            | Reason::Decode
            | Reason::ContentType
            | Reason::Protocol
            | Reason::ErrorInBody
            | Reason::MaintenancePage
            | Reason::PageLimit
            | Reason::Gate
            | Reason::OwnNetwork
            | Reason::TlsUnsupported
            | Reason::CircuitOpen
            | Reason::Deadline
            | Reason::Cancelled
            | Reason::Interrupted
            | Reason::Store
            | Reason::Config
            | Reason::Internal => false,
        }
    }

    /// Whether there was no way to the source, so that its other addresses need not be tried in the same run.
    pub fn is_no_way(self) -> bool {
        match self {
            Reason::Dns
            | Reason::Connect
            | Reason::TlsHandshake
            | Reason::TlsUntrusted
            | Reason::TlsExpired
            | Reason::AddressBlocked
            | Reason::OwnNetwork
            | Reason::TlsUnsupported => true,
            Reason::Timeout
            | Reason::Http4xx
            | Reason::Http5xx
            | Reason::Auth
            | Reason::RateLimited
            | Reason::RedirectBlocked
            | Reason::Firewall
            | Reason::TooLarge
            | Reason::Decode
            | Reason::ContentType
            | Reason::Protocol
            | Reason::ErrorInBody
            | Reason::MaintenancePage
            | Reason::SelectorMissing
            | Reason::ShapeChanged
            | Reason::ValueUnparsed
            | Reason::RowsMismatch
            | Reason::PageLoop
            | Reason::PageLimit
            | Reason::UnmappedUnit
            | Reason::DuplicateKey
            | Reason::Gate
            | Reason::CircuitOpen
            | Reason::Deadline
            | Reason::Cancelled
            | Reason::Interrupted
            | Reason::Store
            | Reason::Config
            | Reason::Internal => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unicode_normalization::is_nfc;

    use super::*;

    #[test]
    fn the_labels_are_these_in_this_order() {
        let labels: Vec<&str> = Reason::ALL.iter().map(|reason| reason.label()).collect();
        let stated = "dns connect tls_handshake tls_untrusted tls_expired timeout http_4xx http_5xx auth rate_limited redirect_blocked \
                      address_blocked firewall too_large decode content_type protocol error_in_body maintenance_page selector_missing shape_changed \
                      value_unparsed rows_mismatch page_loop page_limit unmapped_unit duplicate_key gate own_network tls_unsupported \
                      circuit_open deadline cancelled interrupted store config internal";
        assert_eq!(labels.join(" "), stated);
    }

    #[test]
    fn every_reason_has_its_two_sentences() {
        let mut seen = BTreeSet::new();
        for reason in Reason::ALL {
            let Sentence { vi, en } = reason.sentence();
            for text in [vi, en] {
                assert!(is_nfc(text) && text.ends_with('.') && text.contains("; "), "{reason}: {text}");
                assert!((40..=160).contains(&text.chars().count()), "{reason}: {text}");
                assert!(seen.insert(text), "{reason}: {text} stands twice");
            }
            assert!(!vi.is_ascii() && en.is_ascii(), "{reason}");
            assert!(!(reason.is_ours() && reason.is_drift()), "{reason}");
        }
    }
}
