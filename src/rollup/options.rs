//! What a criterion, or whoever asks, may want of availability.

use super::service_hours::ServiceHours;

/// What is asked for beside the portal and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether a slow answer counts as up.
    pub degraded_is_up: bool,
    /// So many whole working days before it begins, maintenance must have been announced; before it begins if not stated.
    pub notice_working_days: Option<u32>,
    /// When portals must be up; always if not stated.
    pub service_hours: Option<ServiceHours>,
}

impl Default for Options {
    fn default() -> Options {
        Options { degraded_is_up: true, notice_working_days: None, service_hours: None }
    }
}

impl std::fmt::Display for Options {
    /// `notice 7 days; hours working 07:30-17:00; slow is down`; "" if nothing is asked for.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let notice = self.notice_working_days.map(|n| format!("notice {n} working days"));
        let hours = self.service_hours.as_ref().map(|hours| format!("hours {hours}"));
        let slow = (!self.degraded_is_up).then(|| "slow is down".to_owned());
        let parts: Vec<String> = [notice, hours, slow].into_iter().flatten().collect();
        f.write_str(&parts.join("; "))
    }
}
