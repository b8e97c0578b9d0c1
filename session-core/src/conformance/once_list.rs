/// Makes one named test of each behaviour that an [`OnceStore`](crate::OnceStore) has to have.
///
/// The argument is an expression that gives two handles to one store, as two instances of an app have them; it may
/// await. Every test evaluates it anew, in the runtime that the test runs in.
///
/// ```
/// # #[cfg(test)]
/// mod conformance {
///     use session_core::MemoryStore;
///
///     session_core::once_tests!({
///         let store = MemoryStore::new();
///         (store.clone(), store)
///     });
/// }
/// ```
///
/// The suite grows in minor releases.
#[macro_export]
macro_rules! once_tests {
    (@each $stores:expr => $($behaviour:ident)*) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::conformance::run_on_two(async { $stores }, $crate::conformance::$behaviour);
            }
        )*
    };
    ($stores:expr) => {
        $crate::once_tests! { @each $stores =>
            claimed_work_is_taken_for_all_others
            a_repeated_claim_is_answered_alike
            finished_work_is_done_for_all
            finished_work_stays_done
            a_repeated_end_is_answered_alike
            work_given_back_is_free
            only_the_holder_keeps_finishes_and_gives_back
            a_claim_lapses
            a_kept_claim_outlives_its_lease
            a_holder_whose_claim_lapsed_cannot_finish
            a_holder_who_was_replaced_cannot_finish
            names_of_work_do_not_collide
            the_longest_name_of_work_is_kept
            of_claims_at_once_one_holds
            a_late_end_races_with_the_next_claim
            eight_callers_at_once_do_work_once
            work_is_done_once_for_those_who_come_later
            another_name_is_other_work
            work_dropped_half_way_is_done_by_the_next
            work_of_a_dead_holder_is_done_by_the_next
            failing_work_is_given_back
        }
    };
}
