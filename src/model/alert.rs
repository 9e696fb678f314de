//! `Alert` (cảnh báo): what people are told of, and how far that is.

use super::run::labelled;

labelled! {
    /// What is not as it should be: a closed list with stable labels.
    AlertKind {
        /// A source's data is older than it may be.
        SourceStale = "source_stale",
        /// A source's last answer was not as its answers are known.
        SourceDrift = "source_drift",
        /// A source's certificate ends soon, or has ended.
        CertificateExpiry = "certificate_expiry",
        /// A secret of ours for a source ends soon, or has ended.
        CredentialExpiry = "credential_expiry",
        /// A declarative file is wrong.
        ConfigInvalid = "config_invalid",
    }
}

labelled! {
    /// How urgent.
    AlertSeverity {
        /// Figures are out of date until somebody acts.
        Critical = "critical",
        /// Somebody should look at it soon.
        Warning = "warning",
    }
}

labelled! {
    /// What people were told last.
    Told {
        /// Nothing yet.
        Nothing = "nothing",
        /// That it is so.
        Firing = "firing",
        /// That it is over.
        Resolved = "resolved",
    }
}

impl AlertKind {
    /// How urgent.
    pub fn severity(self) -> AlertSeverity {
        match self {
            AlertKind::SourceStale => AlertSeverity::Critical,
            AlertKind::SourceDrift | AlertKind::CertificateExpiry | AlertKind::CredentialExpiry | AlertKind::ConfigInvalid => {
                AlertSeverity::Warning
            }
        }
    }

    /// What its subject is: the name of a label.
    pub fn subject(self) -> &'static str {
        match self {
            AlertKind::SourceStale | AlertKind::SourceDrift | AlertKind::CertificateExpiry | AlertKind::CredentialExpiry => "collector",
            AlertKind::ConfigInvalid => "file",
        }
    }
}
