"""Column names in exports of products, locations, stock and customer links.

``names`` has the column names of orders. Read by ``mapping``.
"""

from training.init.headers import phrases
from training.init.names import ORDER_NAMES

_DELIVERY_DAYS = phrases(
    "delivery days, days to deliver, delivery time days, delivery time in days, "
    "Lieferzeit in Tagen, "
    "Lieferzeit Tage, délai de livraison en jours, plazo de entrega en días"
)

CATALOGUE_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "products": {
        "item_id": (*ORDER_NAMES["item_id"], *phrases("id, code, handle")),
        "title": (*ORDER_NAMES["title"], *phrases("name, prod name, nom, nombre, nome, ad")),
        "parent_id": phrases(
            "parent id, parent sku, parent, master id, model id, style code, product group id, "
            "item group id, handle, übergeordnetes Produkt, Eltern SKU, Superior, Genitore, "
            "Nadrzędny, Ebeveyn, الأصل, 親"
        ),
        "department": phrases("department, department name, dept, division, Abteilung, rayon"),
        "category": phrases(
            "category, product category, category name, categories, commodity desc, product type, "
            "product type name, product group, subcategory, type, Warengruppe, Kategorie, "
            "Kategorien, catégorie, catégories, famille, categoría, categorías, categoria, "
            "categorie, kategoria, kategorie, kategori, kategoriler, الفئة, التصنيفات, دسته, "
            "دسته‌ها, კატეგორია, カテゴリ, カテゴリー"
        ),
        "brand": phrases(
            "brand, brand name, vendor, manufacturer, manufacturer id, make, Marke, Hersteller, "
            "marque, marca, marka, العلامة التجارية, برند, ბრენდი, ブランド"
        ),
        "price": (
            *phrases(
                "price, variant price, regular price, list price, Regulärer Preis, Tarif régulier, "
                "prix normal, precio normal, precio regular, prezzo di listino, cena regularna, "
                "normal fiyat, السعر الافتراضي, قیمت عادی, 通常価格"
            ),
            *ORDER_NAMES["unit_price"],
        ),
        "sale_price": phrases(
            "sale price, special price, promo price, promotional price, discounted price, "
            "Angebotspreis, Aktionspreis, Sonderpreis, Tarif promo, prix promo, prix promotionnel, "
            "prix soldé, precio rebajado, precio de oferta, precio oferta, prezzo in offerta, "
            "prezzo scontato, prezzo promozionale, cena promocyjna, indirimli fiyat, "
            "indirimli satış fiyatı, سعر التخفيض, قیمت فروش ویژه, ფასდაკლებული ფასი, "
            "セール価格, 特価"
        ),
        "cost": phrases(
            "cost, cost price, cost per item, unit cost, purchase price, Einkaufspreis, EK, "
            "prix d'achat, coste, costo, koszt, maliyet, 原価, 仕入値"
        ),
        "currency": ORDER_NAMES["currency"],
        "active": phrases(
            "active, is active, enabled, is enabled, published, is published, status, "
            "product status, item status, state, aktiv, veröffentlicht, Produktstatus, "
            "Artikelstatus, Zustand, actif, publié, statut, état, activo, publicado, estado, "
            "attivo, pubblicato, stato, aktywny, opublikowano, opublikowany, stan publikacji, "
            "aktif, yayımlanmış, yayında, durum, منشور, نشط, الحالة, منتشر شده, فعال, وضعیت, "
            "აქტიური, გამოქვეყნებული, სტატუსი, 公開, 公開状態, 公開ステータス, ステータス, 状態"
        ),
        "visibility": phrases(
            "visibility, visibility in catalog, visibility in catalogue, catalog visibility, "
            "Sichtbarkeit, Sichtbarkeit im Katalog, visibilité, visibilité dans le catalogue, "
            "visibilidad, visibilidad en el catálogo, visibilità, visibilità nel catalogo, "
            "widoczność, widoczność w katalogu, görünürlük, katalogda görünürlük, "
            "الظهور في الكتالوج, ხილვადობა, カタログでの表示, 表示設定"
        ),
        "url": phrases("url, link, product url, product link"),
        "image_url": phrases(
            "image url, image, image link, image src, images, picture, Bild, Bilder, Bild URL, "
            "imágenes, imagen, immagine, immagini, obrazek, obrazki, zdjęcie, görsel, görseller, "
            "الصور, تصاویر, სურათი, 画像, 画像URL"
        ),
        "gtin": phrases("gtin, ean, upc, barcode, variant barcode, jan"),
        "age_restriction": phrases("age restriction, minimum age, min age, age limit, FSK"),
        "delivery_days": _DELIVERY_DAYS,
    },
    "locations": {
        "location_id": (*ORDER_NAMES["location_id"], "id", "code"),
        "name": phrases("name, store name, location name, shop name, title, city, Ort, ville"),
        "kind": phrases("kind, location type"),
        "region": phrases("region, state, province, county, area, country, Land, pays, país"),
        "time_zone": phrases("time zone, tz"),
        "latitude": phrases("latitude, lat, geo lat, Breitengrad, latitud, latitudine, 緯度"),
        "longitude": phrases(
            "longitude, lon, lng, long, geo lon, geo lng, Längengrad, longitud, longitudine, 経度"
        ),
        "ships": phrases("ships, ships online orders, fulfils online orders"),
        "delivery_days": _DELIVERY_DAYS,
    },
    "stock": {
        "location_id": ORDER_NAMES["location_id"],
        "item_id": ORDER_NAMES["item_id"],
        "on_hand": phrases(
            "on hand, stock, stock level, available, inventory, quantity on hand, qty on hand, "
            "quantity, qty, Bestand, Lagerbestand, Menge, stock disponible, existencias, giacenza, "
            "stan, stan magazynowy, stok, stok miktarı, المخزون, موجودی, მარაგი, 在庫数, 在庫"
        ),
        "reserved": phrases(
            "reserved, quantity reserved, qty reserved, reserved quantity, reserved qty, "
            "reserved stock, allocated, quantity allocated, qty allocated, reserviert, "
            "reservierte Menge, réservé, quantité réservée, reservado, cantidad reservada, "
            "riservato, quantità riservata, zarezerwowane, rezerve, rezerve miktar, 引当数"
        ),
        "cost": phrases("cost, cost price, unit cost"),
        "currency": ORDER_NAMES["currency"],
    },
    "customer_links": {
        "occurred_at": (*phrases("registered at, linked at"), *ORDER_NAMES["occurred_at"]),
    },
}
