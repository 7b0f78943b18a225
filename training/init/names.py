"""Names that columns have in retailers' exports, by the field they mean.

Lower case without anything but letters and digits; the first that an export has is taken. Read
by ``mapping``.
"""

ORDER_NAMES: dict[str, tuple[str, ...]] = {
    "order_id": (
        "orderid", "ordernumber", "orderno", "ordernr", "order", "invoiceno", "invoicenumber",
        "invoiceid", "invoice", "ticketid", "ticketno", "ticketnumber", "ticket", "receiptid",
        "receiptno", "receiptnumber", "receipt", "transactionid", "transactionno",
        "transactionnumber", "transaction", "basketid", "basket", "salesid", "saleid",
        "documentno", "documentnumber", "bonnummer", "bonnr", "bestellnummer", "belegnummer",
        "belegnr",
    ),
    "line_no": (
        "lineno", "linenumber", "linenr", "lineid", "line", "position", "pos", "seq", "sequence",
    ),
    "occurred_at": (
        "occurredat", "soldat", "orderedat", "createdat", "purchasedat", "datetime", "timestamp",
        "transactiondatetime", "transactiontimestamp", "orderdatetime", "invoicedate",
        "orderdate", "transactiondate", "purchasedate", "saledate", "salesdate", "ticketdate",
        "receiptdate", "tdat", "date", "localtime", "datum", "time", "day",
    ),
    "location_id": (
        "locationid", "storeid", "storeno", "storenumber", "storecode", "store", "shopid",
        "shopno", "shop", "branchid", "branch", "outletid", "outlet", "warehouseid", "warehouse",
        "siteid", "site", "location", "filiale", "filialnr",
    ),
    "channel": ("channel", "saleschannelid", "saleschannel", "channelid", "orderchannel"),
    "item_id": (
        "itemid", "sku", "stockcode", "productsku", "itemsku", "variantsku", "productid",
        "articleid", "itemno", "itemnumber", "itemcode", "productcode", "productno",
        "articleno", "articlenumber", "articlecode", "materialno", "plu", "ean", "gtin", "upc",
        "barcode", "item", "product", "article", "artikelnummer", "artikelnr",
    ),
    "title": (
        "title", "itemname", "productname", "producttitle", "itemtitle", "articlename",
        "description", "itemdescription", "productdescription", "desc", "bezeichnung",
    ),
    "quantity": (
        "quantity", "qty", "units", "pieces", "quantitysold", "quantityordered", "qtysold",
        "unitssold", "count", "menge", "anzahl",
    ),
    "unit_price": (
        "unitprice", "priceperunit", "pricepiece", "shelfprice", "listprice", "retailprice",
        "baseprice", "price", "einzelpreis", "preis",
    ),
    "discount": (
        "discount", "discountamount", "discountvalue", "linediscount", "totaldiscount",
        "retaildisc", "rebate", "rabatt",
    ),
    "amount": (
        "amount", "lineamount", "linetotal", "totalamount", "totalprice", "total",
        "extendedprice", "salesvalue", "salesamount", "netamount", "grossamount", "paid",
        "amountpaid", "revenue", "sales", "betrag",
    ),
    "currency": ("currency", "currencycode", "curr", "waehrung"),
    "line_type": (
        "linetype", "type", "transactiontype", "salestype", "rowtype", "recordtype", "lineaction",
    ),
    "return_of": (
        "returnof", "refundof", "originalorder", "originalorderid", "originalticket",
        "originalticketid", "originalticketno", "originalreceipt", "originalreceiptno",
        "originaltransaction", "originaltransactionid", "originalinvoice", "returnoforder",
    ),
    "cancelled": ("cancelled", "canceled", "iscancelled", "iscanceled", "cancelledat", "storno"),
}  # fmt: skip

IDENTIFIER_NAMES: dict[str, tuple[str, ...]] = {
    "account": (
        "accountid", "accountno", "account", "customerid", "customerno", "customernumber",
        "customercode", "customer", "clientid", "clientno", "memberid", "userid", "user",
        "householdid", "householdkey", "household", "kundennummer", "kundennr",
    ),
    "email": ("email", "emailaddress", "customeremail", "contactemail", "mail", "useremail"),
    "phone": ("phone", "phonenumber", "mobile", "mobilenumber", "telephone", "customerphone"),
    "loyalty_card": (
        "loyaltycard", "loyaltycardid", "loyaltycardno", "loyaltycardnumber", "loyaltyid",
        "loyaltyno", "loyaltynumber", "loyalty", "clubcard", "membercard", "customercard",
        "cardid", "cardno", "cardnumber", "card", "kundenkarte",
    ),
    "payment_token": (
        "paymenttoken", "paymentcardtoken", "cardtoken", "paymenthash", "cardhash", "panhash",
        "token",
    ),
    "device": ("deviceid", "device", "cookieid", "cookie", "visitorid", "anonymousid"),
}  # fmt: skip

#: Words before a measure's name that say nothing: ``sales_qty``, ``item_price``.
MEASURE_PREFIXES = ("line", "lineitem", "item", "product", "sales", "sale", "order", "sold")
MEASURES = ("quantity", "unit_price", "discount", "amount")

#: Columns that only a till writes.
TILL_NAMES = {
    "till", "tillid", "tillno", "register", "registerid", "registerno", "terminal",
    "terminalid", "terminalno", "posid", "posno", "lane", "cashier", "cashierid", "cashdesk",
    "ticket", "ticketid", "ticketno", "ticketnumber", "receipt", "receiptid", "receiptno",
    "receiptnumber", "kasse", "bonnr", "bonnummer",
}  # fmt: skip
TILL_NUMBER_NAMES = (
    "tillid", "tillno", "till", "registerid", "registerno", "register", "terminalid",
    "terminalno", "terminal", "posid", "posno", "lane", "kasse",
)  # fmt: skip
TIME_OF_DAY_NAMES = (
    "time", "timeofday", "ticktime", "tickettime", "transactiontime", "saletime", "salestime",
    "ordertime", "receipttime", "uhrzeit", "hour",
)  # fmt: skip

CATALOGUE_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "products": {
        "item_id": (*ORDER_NAMES["item_id"], "id", "code", "handle"),
        "title": (*ORDER_NAMES["title"], "name", "prodname"),
        "parent_id": ("parentid", "parentsku", "parent", "masterid", "modelid", "stylecode",
                      "productgroupid", "handle"),
        "department": ("department", "departmentname", "dept", "division"),
        "category": ("category", "productcategory", "categoryname", "commoditydesc",
                     "producttype", "producttypename", "productgroup", "subcategory", "type"),
        "brand": ("brand", "brandname", "vendor", "manufacturer", "manufacturerid", "make"),
        "price": ("price", "variantprice", *ORDER_NAMES["unit_price"]),
        "cost": ("cost", "costprice", "costperitem", "unitcost", "purchaseprice"),
        "currency": ORDER_NAMES["currency"],
        "active": ("active", "isactive", "enabled", "published", "status"),
    },
    "locations": {
        "location_id": (*ORDER_NAMES["location_id"], "id", "code"),
        "name": ("name", "storename", "locationname", "shopname", "title", "city"),
        "kind": ("kind", "locationtype"),
        "region": ("region", "state", "province", "county", "area", "country"),
        "time_zone": ("timezone", "tz"),
    },
    "stock": {
        "location_id": ORDER_NAMES["location_id"],
        "item_id": ORDER_NAMES["item_id"],
        "on_hand": ("onhand", "stock", "stocklevel", "available", "inventory", "quantityonhand",
                    "qtyonhand", "quantity", "qty", "bestand"),
        "cost": ("cost", "costprice", "unitcost"),
        "currency": ORDER_NAMES["currency"],
    },
    "customer_links": {
        "occurred_at": ("registeredat", "linkedat", *ORDER_NAMES["occurred_at"]),
    },
}  # fmt: skip

#: Header of Shopify's order export; these columns in any order are enough to tell it.
SHOPIFY_HEADER = {
    "Name", "Financial Status", "Created at", "Lineitem quantity", "Lineitem price", "Lineitem sku",
}  # fmt: skip

#: Fields that an order source cannot do without.
NEEDED = {
    "till_tickets": ("order_id", "occurred_at", "item_id", "quantity"),
    "order_lines": ("order_id", "occurred_at", "item_id", "quantity"),
    "products": ("item_id",),
    "locations": ("location_id",),
    "stock": ("location_id", "item_id", "on_hand"),
    "customer_links": (),
    "shopify_orders": (),
    "ga4_events": (),
}

CHANNEL_WORDS = {
    "pos": ("pos", "store", "instore", "retail", "offline", "till", "brickandmortar", "physical"),
    "web": ("web", "online", "ecommerce", "ecom", "website", "webshop", "internet", "onlineshop"),
    "app": ("app", "mobileapp", "ios", "android", "iphone"),
    "marketplace": ("marketplace", "amazon", "ebay", "etsy", "zalando"),
    "email": ("email", "newsletter"),
}
LINE_TYPE_WORDS = {
    "sale": ("sale", "s", "sales", "sold", "normal", "purchase", "verkauf"),
    "return": ("return", "r", "returned", "ret", "refund", "refunded", "retoure"),
    "void": ("void", "v"),
    "voided": ("voided", "cancelled", "canceled", "storno"),
}
#: Titles of order lines that are no products.
NON_PRODUCT_WORDS = (
    "postage", "shipping", "carriage", "delivery charge", "gift card", "gift voucher", "voucher",
    "bank charges", "service fee", "handling fee", "deposit", "bag charge", "manual", "adjust",
    "donation", "versand",
)  # fmt: skip
