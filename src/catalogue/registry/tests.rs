//! The shipped registry, whole: it loads without a problem, and its figures add up.

use std::collections::BTreeSet;

use super::*;
use crate::model::UnitGroup;

fn shipped() -> Registry {
    let (registry, problems) = Registry::load(&Files::embedded());
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", texts.join("\n"));
    registry
}

/// The counts that collectors read, the indicators of the domain dossier, and what portals are measured by.
const AGREED: &str = "dossier_processed_count dossier_on_time_count dossier_overdue_count dossier_completed_count dossier_handling_days
    tthc_published_on_time_count tthc_published_count tthc_updated_on_time_count tthc_update_due_count tthc_content_full_count
    tthc_public_count dossier_synced_count dossier_sync_due_count tthc_authority_count service_partial_count service_full_count
    service_active_count service_count dossier_channel_online_count dossier_channel_direct_count dossier_channel_postal_count
    dossier_channel_total_count payment_dossier_count payment_obligation_count payment_service_count payment_service_due_count
    payment_feedata_count payment_feedata_due_count eresult_count eresult_due_count digitised_count digitised_due_count reused_count
    reused_due_count digitised_synced_personal_count digitised_synced_personal_due_count citizen_dossier_count
    citizen_dossier_due_count citizen_formality_count citizen_formality_due_count dossier_satisfied_count
    dossier_satisfaction_due_count petition_on_time_count petition_on_time_due_count petition_satisfied_count
    petition_satisfied_due_count petition_tthc_count petition_classified_count petition_staff_count doc_outgoing_count
    doc_esigned_count doc_axis_due_count doc_axis_count workfile_count workfile_online_count task_due_count task_on_time_count
    declared_points
    svc_full_rate svc_online_rate svc_active_rate svc_partial_reason_published dossier_received dossier_online_rate
    dossier_full_online_rate dossier_on_time_rate dossier_overdue_open dossier_handling_days dossier_sync_rate source_gap_rate
    tthc_publish_on_time_rate tthc_update_on_time_rate tthc_content_full_rate payment_dossier_rate payment_service_rate
    payment_feedata_rate eresult_rate digitised_rate reuse_rate citizen_data_rate petition_on_time_rate petition_satisfied_rate
    dossier_satisfied_rate doc_esigned_rate doc_axis_rate doc_axis_receive_lag doc_axis_refusal_rate workfile_online_rate
    task_on_time_rate national_index_score
    portal_up_ratio portal_up_ratio_least portal_up_ratio_most portal_coverage_ratio portal_up_seconds portal_down_seconds
    portal_degraded_seconds portal_unknown_seconds portal_maintenance_seconds portal_unannounced_down_seconds portal_outage_count
    portal_latency_seconds portal_tls_days_left portal_ipv6 portal_https portal_domain_ok portal_required_sections_rate
    portal_section_present portal_freshness_days portal_stats_published portal_a11y_basic portal_a11y_check";

fn period(text: &str) -> Period {
    text.parse().expect("a period of the test")
}

#[test]
fn counts_of_units() {
    let registry = shipped();
    let count = |group: UnitGroup, on: &str| registry.units_in(period(on)).iter().filter(|unit| unit.unit_group == group).count();
    assert_eq!(count(UnitGroup::Province, "2026"), 34);
    assert_eq!((count(UnitGroup::District, "2022-11-16"), count(UnitGroup::District, "2026")), (13, 0));
    assert_eq!((count(UnitGroup::Commune, "2022-11-16"), count(UnitGroup::Commune, "2026")), (177, 54));
    assert_eq!((count(UnitGroup::Commune, "2025-06-30"), count(UnitGroup::Commune, "2025-07-01")), (177, 54));
    let kinds = |kind: &str| registry.children("H49", period("2026")).iter().filter(|unit| unit.kind == kind).count();
    assert_eq!((kinds("phường"), kinds("xã"), kinds("đặc khu")), (30, 22, 2));
    assert_eq!(registry.children("qn22-193", period("2022")).len(), 33);
    let province = |id: &str| registry.province_of(id).map(|unit| unit.name.as_str());
    assert_eq!(
        (province("qn22-06652"), province("H49"), province("x")),
        (Some("Thành phố Quảng Ninh"), Some("Thành phố Quảng Ninh"), None)
    );
    for listed in registry.listed_of_expected() {
        let Listed { expected, listed } = listed;
        eprintln!("{} on {}: {listed} of {} listed", expected.unit_group.label(), expected.on, expected.bodies);
        assert!(listed == expected.bodies || (expected.unit_group, listed) == (UnitGroup::Department, 2));
    }
}

#[test]
fn every_old_commune_is_resolved_or_named() {
    let registry = shipped();
    let old: BTreeSet<&str> =
        registry.units_in(period("2022")).iter().filter(|u| u.unit_group == UnitGroup::Commune).map(|u| u.id.as_str()).collect();
    let from = |extent| registry.lineage().iter().filter(move |link| link.extent == extent).map(|link| link.from.as_str());
    let (whole, part): (BTreeSet<&str>, BTreeSet<&str>) = (from(Extent::Whole).collect(), from(Extent::Part).collect());
    let open: BTreeSet<&str> = registry.unresolved_lineage().iter().filter(|u| u.text.is_empty()).map(|u| u.unit.as_str()).collect();
    let named = registry.unresolved_lineage().len() - open.len();
    eprintln!(
        "{} whole + {} part + {} unresolved = {} old communes; {named} names of the source lead to none of them",
        whole.len(),
        part.len(),
        open.len(),
        old.len()
    );
    assert_eq!((whole.len(), part.len(), open.len(), named), (154, 11, 12, 7));
    let all: Vec<&str> = whole.iter().chain(&part).chain(&open).copied().collect();
    assert_eq!(all.len(), 177);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), old);
    let new: BTreeSet<&str> = registry.lineage().iter().map(|link| link.to.as_str()).collect();
    let without: Vec<&str> = registry
        .children("H49", period("2026"))
        .iter()
        .map(|unit| unit.id.as_str())
        .filter(|id| id.starts_with("qn-0") && !new.contains(id))
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn finds_what_people_write() {
    let registry = shipped();
    let find =
        |text: &str, on: &str| registry.find_unit(text, period(on)).map(|unit| unit.id.as_str()).map_err(|error| error.candidates.len());
    for (text, on, expected) in [
        ("H49", "2026", Ok("H49")),
        ("qn22-06652", "2026", Ok("qn22-06652")),
        ("06652", "2026", Ok("qn-06652")),
        ("06652", "2022", Ok("qn22-06652")),
        ("Quảng Ninh", "2026", Ok("H49")),
        ("phường hiệp hòa", "2026", Ok("qn-07147")),
        ("HIỆP HOÀ", "2026", Ok("qn-07147")),
        ("Hạ Long", "2026", Ok("qn-06688")),
        ("Hạ Long", "2022", Err(2)),
        ("Hạ Long", "2025", Err(3)),
        ("Xã Hạ Long", "2026", Ok("qn22-07012")),
        ("Móng Cái", "2026", Ok("qn22-194")),
        ("Móng", "2026", Err(4)),
        ("Atlantis", "2026", Err(0)),
        ("", "2026", Err(0)),
    ] {
        assert_eq!(find(text, on), expected, "{text} in {on}");
    }
    let error = registry.find_unit("Hạ Long", period("2022")).expect_err("two");
    let message = "\"Hạ Long\" names no one unit: give the id of one of qn22-193 (Thành phố Hạ Long), qn22-07012 (Xã Hạ Long)";
    assert_eq!(error.to_string(), message);
}

#[test]
fn codes_of_the_national_portal() {
    let registry = shipped();
    assert_eq!(registry.systems().collect::<Vec<_>>(), ["documents", "npsp", "npsp-2025", "npsp-2025-id"]);
    let on = period("2026");
    for (system, code, unit) in [
        ("npsp", "019d2be3-6a88-732b-8b1c-46b23e7f2084", "H49"),
        ("npsp-2025", "H49", "H49"),
        ("npsp-2025", "000.00.00.H37", "H37"),
        ("npsp-2025-id", "426106", "H49"),
    ] {
        let codes = registry.codes(system).expect("a system of the test");
        assert_eq!((codes.unit(code, on), codes.code_of(unit, on)), (Some(unit), Some(code)), "{system}");
        let provinces = registry.units_in(on).into_iter().filter(|unit| unit.unit_group == UnitGroup::Province);
        assert_eq!(provinces.filter(|unit| codes.code_of(&unit.id, on).is_some()).count(), 34, "{system}");
    }
}

#[test]
fn indicators_are_complete() {
    let registry = shipped();
    let derived = registry.indicators().filter(|indicator| indicator.derived.is_some()).count();
    eprintln!("{} indicators, {derived} of them derived", registry.indicators().count());
    for id in AGREED.split_whitespace() {
        assert!(registry.indicator(id).is_some(), "{id}");
    }
}

#[test]
fn portals_and_working_days() {
    let portals = "id,unit,url,from,to\na,H49,https://a.gov.vn,,\nb,qn-06652,https://b.gov.vn,,\n";
    let files = [("registry/portals.csv".to_owned(), portals.to_owned())].into_iter().collect();
    let (registry, problems) = Registry::load(&Files::embedded().overlay(files));
    assert_eq!(problems, []);
    assert_eq!((registry.portals().len(), registry.portal("b").map(|portal| portal.unit.as_str())), (2, Some("qn-06652")));
    assert_eq!((registry.portals_of("H49").len(), registry.portals_of("H48").len(), registry.portal("c")), (1, 0, None));
    assert_eq!(registry.notices(), []);
    for indicator in registry.indicators().filter(|indicator| indicator.id.starts_with("portal_")) {
        assert_eq!(indicator.per, Some(crate::model::Per::Portal), "{}", indicator.id);
    }
    // Hùng Kings' day of 2026 is a Sunday, so the Monday after it is off as well.
    let working = |day: &str| registry.calendar().is_working(day.parse().expect("a day of the test"));
    for (day, is) in [("2026-04-24", true), ("2026-04-27", false), ("2026-04-28", true), ("2026-09-02", false), ("2026-09-03", true)] {
        assert_eq!(working(day), is, "{day}");
    }
}

#[test]
fn names_a_file_that_nothing_reads() {
    let files = [("registry/unit/x.csv".to_owned(), String::new())].into_iter().collect();
    let (registry, problems) = Registry::load(&files);
    assert_eq!((registry.indicators().count(), problems.len()), (0, 1));
    assert_eq!((problems[0].file.as_str(), problems[0].message.as_str()), ("registry/unit/x.csv", "nothing reads this file"));
}

#[test]
fn a_file_cut_anywhere_never_panics() {
    let whole = Files::embedded();
    for (path, text) in whole.under("registry/") {
        for cut in (0..text.len()).step_by(997).filter(|cut| text.is_char_boundary(*cut)) {
            let short = [(path.to_owned(), text[..cut].to_owned())].into_iter().collect();
            Registry::load(&whole.clone().overlay(short));
        }
    }
}

/// The folder of real data, unless it is not there to compare with.
fn real_data(test: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("THUOCDO_REAL_DATA").map(std::path::PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test}: THUOCDO_REAL_DATA is not set");
    }
    folder
}

#[test]
fn units_equal_the_official_lists() {
    let Some(data) = real_data("units_equal_the_official_lists") else { return };
    let registry = shipped();
    let mut compared = 0;
    for (file, prefix, name_column) in [("quangninh-2022-10-01.csv", "qn22-", 2), ("quangninh-2026-07-25.csv", "qn-", 3)] {
        let mut reader = csv::Reader::from_path(data.join("units").join(file)).expect("an official list");
        for record in reader.records() {
            let record = record.expect("a row");
            let id = if &record[0] == "1" { "H49".to_owned() } else { format!("{prefix}{}", &record[1]) };
            let unit = registry.unit(&id).unwrap_or_else(|| panic!("{id} is missing"));
            // The province became a thành phố on the national portal after these lists.
            assert!(unit.name == crate::model::clean(&record[name_column]) && unit.code == record[1] || id == "H49", "{unit:?}");
            compared += 1;
        }
    }
    eprintln!("{compared} of {} rows of the official lists equal the registry", 1 + 13 + 177 + 1 + 54);
    assert_eq!(compared, 246);
}

#[test]
fn lineage_accounts_for_every_name_of_the_source() {
    let Some(data) = real_data("lineage_accounts_for_every_name_of_the_source") else { return };
    let registry = shipped();
    let text = std::fs::read_to_string(data.join("units/quangninh-2025-merge-lineage.json")).expect("the source of the lineage");
    let source: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let (mut linked, mut unresolved) = (0, 0);
    for entry in source.iter().filter(|entry| entry["ma"] != "22") {
        let new_name = entry["ten"].as_str().expect("a name");
        let new = registry.find_unit(new_name, period("2026")).expect("a commune of today");
        let parts = entry["truocsapnhap"].as_str().expect("names");
        for old in if parts == "giữ nguyên" { new_name } else { parts }.split(',').map(fold) {
            let is_old = |id: &str| registry.unit(id).is_some_and(|unit| fold(&unit.name) == old);
            let links = registry.lineage().iter().filter(|link| link.to == new.id && is_old(&link.from)).count();
            let open = registry.unresolved_lineage().iter().filter(|open| open.unit == new.id && fold(&open.text) == old).count();
            assert_eq!(links + open, 1, "{old} in {new_name}");
            (linked, unresolved) = (linked + links, unresolved + open);
        }
    }
    eprintln!("{linked} names linked + {unresolved} not in the old list = {} names of the source", linked + unresolved);
    assert_eq!((linked, unresolved), (registry.lineage().len(), 7));
}
