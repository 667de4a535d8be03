//! The list. A gateway that passes can be trusted with money: it never takes silence for a no, nor a no for silence.

pub(crate) mod charging;
pub(crate) mod disputes;
pub(crate) mod movements;
pub(crate) mod transport;
pub(crate) mod webhooks;

/// Makes a test of each behaviour for one gateway.
#[macro_export]
macro_rules! every_gateway {
    ($bench:ty: $($group:ident { $($behaviour:ident)* })*) => {
        $($(
            #[tokio::test]
            async fn $behaviour() {
                let bench = <$bench as $crate::bench::Bench>::start().await;
                $crate::contract::$group::$behaviour(&bench).await;
            }
        )*)*
    };
    ($bench:ty) => {
        $crate::every_gateway! { $bench:
            charging {
                an_approval_says_what_was_captured
                each_decline_has_its_class
                a_repeat_is_the_same_charge
                another_order_under_the_same_key_is_unknown
                silence_is_unknown_until_looked_up
                an_unreadable_answer_is_unknown_until_looked_up
                what_was_never_ordered_is_absent
                too_many_requests_were_not_sent
                a_pix_waits_for_its_payer
                a_card_charge_comes_too_late_to_cancel
                the_order_is_exact_on_the_wire
            }
            disputes {
                a_charge_is_undisputed_until_its_holder_goes_to_the_bank
                a_lost_dispute_is_lost
                what_was_never_charged_is_not_there
                a_dispute_leaves_the_charge_as_it_is
            }
            movements {
                what_was_captured_and_given_back_is_told_page_by_page
                the_window_begins_with_from_and_ends_before_to
                nothing_moved_is_an_empty_page
            }
            transport {
                what_cannot_connect_was_not_sent
                what_breaks_after_sending_is_unknown
                a_server_error_is_unknown
                a_redirect_is_not_followed
                an_unreadable_success_is_unknown
                a_definite_refusal_is_ours_to_mend
                the_wait_that_is_asked_for_is_kept
                a_question_that_fails_says_nothing
                without_secrets_nothing_is_sent
            }
            webhooks {
                a_genuine_delivery_is_verified
                a_forged_delivery_is_refused
                a_stale_or_future_delivery_is_refused
                a_rotated_secret_is_good_and_a_wrong_one_is_not
                without_secrets_no_delivery_is_genuine
                an_event_names_its_charge
                what_is_no_event_is_malformed
            }
        }
    };
}
