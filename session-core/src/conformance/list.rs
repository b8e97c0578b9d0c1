/// Makes one named test of each behaviour of the suite in [`conformance`](crate::conformance).
///
/// The argument is an expression that gives a store; it may await. Every test evaluates it anew, in the runtime that
/// the test runs in, so nothing else is needed in scope, and the store's crate needs no runtime for it. Give
/// [`ByTurns`](crate::conformance::ByTurns) two handles to one database to check what holds across instances.
///
/// ```
/// # #[cfg(test)]
/// mod conformance {
///     use session_core::{MemoryStore, conformance::ByTurns};
///
///     session_core::conformance_tests!({
///         let store = MemoryStore::new();
///         ByTurns::new([store.clone(), store])
///     });
/// }
/// ```
///
/// The suite grows in minor releases.
#[macro_export]
macro_rules! conformance_tests {
    (@each $store:expr => $($behaviour:ident)*) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::conformance::run(async { $store }, $crate::conformance::$behaviour);
            }
        )*
    };
    ($store:expr) => {
        $crate::conformance_tests! { @each $store =>
            a_created_session_loads_back
            a_session_without_data_loads_back
            a_creation_keeps_user_and_lifetime
            a_creation_ignores_removals
            a_creation_with_an_id_in_use_is_refused
            a_creation_with_a_visitors_id_is_refused
            a_repeated_creation_is_answered_alike
            a_creation_of_a_changed_session_is_refused
            a_creation_over_a_marker_is_refused
            a_creation_that_is_too_large_makes_nothing
            sessions_do_not_share_data
            an_end_wakes_all_who_wait_for_it
            end_all_wakes_all_who_wait
            a_renewed_session_is_watched_on
            an_old_id_is_watched_as_its_session
            a_login_wakes_who_waits_for_the_session_before
            expiry_wakes_who_waits
            activity_keeps_a_session_from_those_who_wait
            the_end_of_a_dead_session_has_come
            who_waits_no_longer_takes_no_room
            fates_are_told_in_order
            an_ended_session_is_gone
            ending_is_idempotent
            ending_one_session_spares_the_others
            end_all_ends_every_session_of_the_user
            end_all_spares_other_users_and_visitors
            end_all_spares_the_session_excepted
            end_all_spares_the_session_excepted_under_its_new_id
            end_all_does_not_spare_a_login_that_came_after
            end_all_excepts_only_the_users_own
            end_all_ends_renewed_sessions
            a_login_after_end_all_holds
            an_update_whose_expectation_holds_is_made
            a_conflict_tells_the_value_there_is
            a_value_where_none_was_expected_conflicts
            a_missing_value_conflicts
            a_conflict_changes_nothing
            unrelated_writes_never_conflict
            an_expectation_holds_through_a_renewal
            an_expired_session_is_missing
            a_session_expires_at_its_absolute_end
            an_expired_session_stays_expired
            an_expired_session_is_reached_through_no_old_id
            expired_sessions_are_not_listed
            expired_sessions_take_no_room_in_a_page
            a_creation_over_an_expired_session_is_honest
            a_renewal_to_an_expired_id_is_honest
            only_the_expired_expire
            a_purge_keeps_the_living
            a_purge_revives_nothing
            a_purge_keeps_to_its_limit
            a_working_store_answers_a_ping
            a_dropped_call_leaves_the_store_working
            values_are_kept_byte_for_byte
            values_are_expected_byte_for_byte
            any_key_can_be_created
            any_key_can_be_changed
            the_longest_key_is_kept
            a_value_of_64_kib_is_kept
            thousands_of_keys_fit_one_change
            thousands_of_keys_can_be_removed_by_a_renewal
            a_touch_extends_the_idle_timeout
            a_touching_update_extends_the_idle_timeout
            an_empty_touching_update_extends_the_idle_timeout
            a_renewal_extends_the_idle_timeout
            a_login_extends_the_idle_timeout
            a_touching_update_through_an_old_id_extends_the_idle_timeout
            an_update_does_not_extend_the_idle_timeout
            an_update_does_not_shorten_the_idle_timeout
            a_load_does_not_extend_the_idle_timeout
            a_refused_update_does_not_extend_the_idle_timeout
            a_touch_does_not_pass_the_absolute_end
            a_touching_update_does_not_pass_the_absolute_end
            a_renewal_does_not_pass_the_absolute_end
            a_login_s_own_lifetime_holds
            a_login_passes_the_old_absolute_end
            an_endless_lifetime_is_kept
            a_user_s_sessions_are_listed_in_order
            an_unknown_user_has_no_sessions
            a_line_of_the_list_says_what_the_record_says
            a_renewed_session_is_listed_under_its_new_id
            a_long_list_is_read_in_pages
            a_page_may_follow_a_session_that_ended
            a_page_holds_a_hundred_sessions
            a_session_near_its_end_stays_listed
            a_list_read_meanwhile_loses_no_session
            a_session_renewed_meanwhile_is_listed
            an_unknown_session_is_missing
            no_ids_load_nothing
            the_first_of_several_live_sessions_is_loaded
            dead_ids_are_passed_over
            a_session_just_renewed_is_told_from_a_missing_one
            an_id_given_twice_is_loaded
            a_load_is_no_activity
            a_record_says_when_it_was_read
            a_login_binds_the_user_and_begins_anew
            a_login_may_change_the_user
            a_login_as_somebody_else_takes_nothing_over
            a_login_as_the_same_user_keeps_the_data
            a_login_is_listed
            a_change_from_before_a_login_is_refused
            ending_the_id_from_before_a_login_does_not_undo_it
            no_chain_of_old_ids_leads_through_a_login
            a_login_spares_the_user_s_other_sessions
            a_change_through_an_old_id_reaches_the_session
            a_change_through_several_old_ids_reaches_the_session
            a_session_renewed_a_hundred_times_is_reached
            a_touching_change_through_an_old_id_is_activity
            a_change_through_an_old_id_is_measured
            ending_an_old_id_ends_the_session
            ending_any_of_several_old_ids_ends_the_session
            an_old_id_of_an_ended_session_leads_nowhere
            loads_at_once_are_answered_each_with_its_own
            writes_at_once_are_answered_each_with_its_own
            other_calls_at_once_are_answered_each_with_its_own
            increments_at_once_all_count
            changes_of_different_keys_at_once_all_survive
            of_changes_of_one_key_at_once_the_later_stands
            of_equal_expectations_at_once_one_holds
            touches_lose_no_changes
            of_creations_of_one_id_at_once_one_wins
            equal_creations_at_once_are_answered_alike
            an_ended_session_stays_ended_with_an_update_in_flight
            an_ended_session_stays_ended_with_a_touch_in_flight
            an_ended_session_stays_ended_with_a_renewal_in_flight
            an_ended_session_stays_ended_with_many_renewals_in_flight
            an_end_races_with_a_login
            end_all_ends_sessions_that_are_being_renewed
            end_all_spares_a_session_that_is_being_renewed
            end_all_ends_sessions_in_use
            end_alls_at_once_count_each_session_once
            end_all_leaves_no_half_login
            of_two_renewals_at_once_one_wins
            equal_renewals_at_once_are_answered_alike
            a_change_survives_a_renewal_at_once
            a_change_races_with_a_login
            a_touch_races_with_a_renewal
            a_load_during_a_renewal_finds_the_session
            a_renewed_session_goes_on
            a_visitor_s_session_can_be_renewed
            an_old_id_opens_nothing
            a_renewed_session_can_be_renewed_again
            a_renewal_of_a_dead_session_makes_nothing
            a_renewal_for_another_user_is_refused
            a_repeated_renewal_is_answered_alike
            a_repeated_renewal_revives_nothing
            an_old_id_cannot_be_renewed
            a_renewal_to_an_id_in_use_is_refused
            an_update_is_measured_in_bytes
            a_replaced_value_is_measured_once
            a_removed_value_is_not_measured
            a_renewed_record_is_measured_whole
            an_update_that_is_too_large_changes_nothing
            a_renewal_that_is_too_large_changes_nothing
            the_largest_limit_is_allowed
            a_touch_changes_only_the_last_activity
            a_touch_of_an_unknown_session_makes_nothing
            a_touch_of_an_ended_session_makes_nothing
            a_touch_of_an_old_id_is_refused
            an_update_changes_only_its_keys
            an_update_removes_keys
            removing_an_absent_key_is_no_error
            versions_count_the_writes
            an_update_of_an_unknown_session_makes_nothing
            an_update_of_an_ended_session_makes_nothing
            an_update_keeps_user_and_lifetime
            only_a_touching_update_is_activity
            setting_the_value_that_was_loaded_is_a_change
            a_long_history_is_kept_exactly
            any_name_is_a_user_of_its_own
            any_name_can_be_renewed
            the_longest_name_is_kept
        }
    };
}
