import pytest

from benchmarks.growth import exponent, replicate

TILLS = """ticket,line,store,till,card,token,time,sku,quantity,price,discount,type,original
311,1,330,6,2947551233101,tok_eee,2017-01-01 06:53:26,1095275,1,0.50,0.00,sale,
312,1,330,6,2900 0000 0000 0,,2017-01-02 06:53:26,1095275,-1,0.50,0.00,return,311
313,1,330,6,2947 5512 3310 1,,2017-01-02 06:53:26,1095275,-1,0.50,0.00,return,"#14026"
broken,row
"""
SHOP = """Name,Email,Lineitem name,Payment Reference,Vendor,Id,Tags
"#14026",nadia@mail.example,"Cereal, 18 oz",tok_055,Demo grocer,4000014026,
"#14026",,"Cereal, 13 oz",,Demo grocer,,
"#14027",test@shop.example,Bread,tok_056,Demo grocer,4000014027,
"""
EVENTS = (
    '{"user_id":"A14","user_pseudo_id":"20.14","items":[{"item_id":"866"}],'
    '"event_params":[{"key":"transaction_id","value":{"string_value":"#14026"}}]}\n'
)
REGISTRATIONS = "account,email,card,at\nA14,nadia@mail.example,2947551233101,2016\nA15,,,2016\n"


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "exports"
    files = {
        "tills/a.csv": TILLS,
        "shop/a.csv": SHOP,
        "events/a.ndjson": EVENTS,
        "registrations.csv": REGISTRATIONS,
        "products.csv": "item_id\n866\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_every_copy_has_customers_and_orders_of_its_own(exports, tmp_path):
    replicate(exports, tmp_path / "more", 3)
    read = {
        file.relative_to(tmp_path / "more").as_posix(): file.read_text()
        for file in sorted((tmp_path / "more").rglob("*.*"))
        if file.is_file()
    }
    assert read["tills/a.csv"] == TILLS
    assert read["products.csv"] == "item_id\n866\n"
    first, second, third = read["tills/a-02.csv"].splitlines()[1:4]
    assert first == "31102,1,330,6,294755123310102,tok_eee02," + TILLS.splitlines()[1][34:]
    # The card that tills fall back to stays one card, and a return names its ticket.
    assert second.startswith("31202,1,330,6,2900 0000 0000 0,,")
    assert second.endswith("return,31102")
    assert third.startswith("31302,1,330,6,2947 5512 3310 102,,")
    assert third.endswith('return,"#1402602"')
    orders = read["shop/a-01.csv"].splitlines()[1:]
    assert orders[0].startswith('"#1402601",c01nadia@mail.example,"Cereal, 18 oz",tok_05501,')
    assert orders[0].endswith(",400001402601,")
    assert orders[1] == '"#1402601",,"Cereal, 13 oz",,Demo grocer,,'
    assert orders[2].startswith('"#1402701",test@shop.example,')
    event = read["events/a-01.ndjson"]
    assert '"user_id":"A1401","user_pseudo_id":"20.1401"' in event
    assert '"#1402601"' in event
    assert '"item_id":"866"' in event
    people = read["registrations.csv"].splitlines()
    assert people[3:5] == ["A1401,c01nadia@mail.example,294755123310101,2016", "A1501,,,2016"]
    assert len(people) == 7


def test_a_straight_line_has_an_exponent_of_one():
    assert exponent([100, 400, 1_600], [2.0, 8.0, 32.0]) == pytest.approx(1)
    assert exponent([100, 400], [5.0, 5.0]) == pytest.approx(0)
