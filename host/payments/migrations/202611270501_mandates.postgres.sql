create trigger mandate_no_delete before delete on mandate for each row execute function payment_refuses();
create trigger mandate_no_truncate before truncate on mandate for each statement execute function payment_refuses();
create trigger mandate_no_rewrite before update of id, user_id, institution_id, plugin_id, title, purpose, reference, currency, per_payment, per_day, per_month, count_max, payees, products, expires_at, created_at on mandate for each row execute function payment_refuses();
create trigger mandate_stays_revoked before update of revoked_at on mandate for each row when (old.revoked_at is not null) execute function payment_refuses();
