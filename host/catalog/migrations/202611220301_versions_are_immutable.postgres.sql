create function catalog_row_is_immutable() returns trigger language plpgsql as $$
begin raise exception 'a row of % never changes and never goes away', tg_table_name; end $$;
create trigger fee_schedule_is_immutable before update or delete on fee_schedule
    for each row execute function catalog_row_is_immutable();
create trigger price_is_immutable before update or delete on price
    for each row execute function catalog_row_is_immutable();
