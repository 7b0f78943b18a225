"""Catalogues: columns of a product's visibility and price."""

import pytest

from tests.training.init.conftest import Propose


@pytest.mark.parametrize(
    ("header", "hidden"),
    [
        ("Artikelnummer;Name;Regulärer Preis;Veröffentlicht;Sichtbarkeit im Katalog", "-1;visible"),
        ("SKU;Nom;Tarif régulier;Publié;Visibilité dans le catalogue", "0;visible"),
        ("SKU;Nombre;Precio normal;Publicado;Visibilidad en el catálogo", "1;hidden"),
        ("SKU;Nome;Prezzo di listino;Pubblicato;Visibilità nel catalogo", "-1;visible"),
        ("SKU;Nazwa;Cena;Opublikowano;Widoczność w katalogu", "-1;visible"),
        ("SKU;İsim;Normal fiyat;Yayımlanmış;Katalogda görünürlük", "-1;visible"),
        ("SKU;名前;通常価格;公開;カタログでの表示", "-1;visible"),
        ("SKU;Title;List price;Product Status;Visibility in catalogue", "Archived;visible"),
    ],
)
def test_the_status_of_a_product_is_found_in_any_language(
    proposed: Propose, header: str, hidden: str
) -> None:
    names = header.split(";")
    found = proposed(f"{header}\nA1;Eins;10.00;1;visible\nA2;Zwei;12.00;{hidden}\n")
    assert found.kind == "products"
    columns = [found.columns[field] for field in ("item_id", "price", "active", "visibility")]
    assert columns == [names[0], *names[2:]]


def test_a_state_that_is_none_of_being_shown_is_not_taken(proposed: Propose) -> None:
    found = proposed("SKU;Title;Price;State\nA1;One;10.00;new\nA2;Two;12.00;used\n")
    assert "active" not in found.columns
    found = proposed("SKU;Title;Price;State\nA1;One;10.00;draft\nA2;Two;12.00;on loan\n")
    assert found.columns["active"] == "State"
    assert any("`on loan`" in check and "rejected" in check for check in found.checks)


def test_reduced_prices_are_taken(proposed: Propose) -> None:
    found = proposed("SKU;Bezeichnung;Preis;Angebotspreis\nA1;Eins;10,00;8,00\n")
    assert (found.columns["price"], found.columns["sale_price"]) == ("Preis", "Angebotspreis")
