create function payment_refuses() returns trigger language plpgsql as 'begin raise exception ''% keeps what it holds'', tg_table_name; end';
create trigger payment_no_delete before delete on payment for each row execute function payment_refuses();
create trigger payment_no_truncate before truncate on payment for each statement execute function payment_refuses();
create trigger payment_no_rewrite before update of id, order_id, institution_id, payer, method, currency, minor, splits, deliveries, description, expires_at, created_at on payment for each row execute function payment_refuses();
create trigger payment_captured_once before update of captured on payment for each row when (old.captured <> new.captured and old.state <> 'held') execute function payment_refuses();
create trigger payment_state_forward before update of state on payment for each row when (not (old.state = new.state or (old.state = 'held' and new.state in ('posted', 'voided', 'partly-refunded', 'refunded')) or (old.state in ('posted', 'partly-refunded') and new.state in ('partly-refunded', 'refunded')))) execute function payment_refuses();
create trigger payment_refund_no_change before update or delete on payment_refund for each row execute function payment_refuses();
create trigger payment_refund_no_truncate before truncate on payment_refund for each statement execute function payment_refuses();
